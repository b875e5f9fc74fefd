// What a kubelet does for a pod, as far as a user of the cluster sees it whose pod runs in CCI.
import { type Region, startRegion } from '@spillway/cci-standin';
import {
  type Container,
  type ContainerStatus,
  type Event,
  events,
  type Job,
  jobs,
  type Pod,
  pods,
  type PodSpec,
  services,
  uidOf,
} from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rehearsal, rehearsalNamespace as namespace } from '../../testkit/rehearsal.ts';

let region: Region;
let rehearsal: Rehearsal;

const size = { cpu: '250m', memory: '256Mi' };

function container(script: string, more: Partial<Container> = {}): Container {
  const command = ['sh', '-c', script];
  return { name: 'main', image: 'busybox', command, resources: { requests: size, limits: size }, ...more };
}

const exec = (script: string): Container['livenessProbe'] => ({ exec: { command: ['sh', '-c', script] } });
/** A command takes a busy machine its time. */
const often = { periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 30 };
/** Goes on, and ends at once when it is asked to. */
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
const shared = {
  volumes: [{ name: 'shared', emptyDir: {} }],
  mounts: { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] },
};

/** All at the start: what they do takes its time, and they do it side by side. */
const specs: Readonly<Record<string, Partial<PodSpec>>> = {
  unhealthy: {
    containers: [
      container(`echo >> /shared/lives; echo life $(wc -l < /shared/lives); ${forever}`, {
        ...shared.mounts,
        livenessProbe: { ...exec('[ $(wc -l < /shared/lives) -gt 1 ]'), ...often, initialDelaySeconds: 2 },
      }),
    ],
    volumes: shared.volumes,
  },
  serving: {
    containers: [container(forever, { readinessProbe: { ...exec('test -f /tmp/ready'), ...often } })],
  },
  slow: {
    containers: [
      container(forever, {
        startupProbe: { ...exec('test -f /tmp/started'), ...often, failureThreshold: 300 },
        livenessProbe: { ...exec('test -f /tmp/started'), ...often },
      }),
    ],
  },
  gated: { readinessGates: [{ conditionType: 'example.com/open' }], containers: [container(forever)] },
  hooked: {
    containers: [
      container(
        `trap 'echo told to end; exit 0' TERM; until [ -f /tmp/begun ]; do sleep 0.1; done; echo begun; while :; do sleep 0.1; done`,
        {
          lifecycle: {
            postStart: { exec: { command: ['sh', '-c', 'echo after the start > /proc/1/fd/1; touch /tmp/begun'] } },
            preStop: { exec: { command: ['sh', '-c', 'echo before the end > /proc/1/fd/1'] } },
          },
        },
      ),
    ],
    terminationGracePeriodSeconds: 30,
  },
  accompanied: {
    restartPolicy: 'Never',
    initContainers: [
      container(`trap 'exit 0' TERM; sleep 1; touch /shared/up; while :; do sleep 0.1; done`, {
        name: 'side',
        restartPolicy: 'Always',
        startupProbe: { ...exec('test -f /shared/up'), ...often, failureThreshold: 300 },
        ...shared.mounts,
      }),
    ],
    containers: [container('ls /shared; sleep 1', shared.mounts)],
    volumes: shared.volumes,
  },
  hesitant: {
    initContainers: [
      container('date +%s >> /shared/tries; [ $(wc -l < /shared/tries) -ge 3 ]', { name: 'first', ...shared.mounts }),
    ],
    containers: [container(forever, shared.mounts)],
    volumes: shared.volumes,
  },
  greedy: {
    restartPolicy: 'Never',
    // The shell goes on when the kernel has killed its child.
    initContainers: [container('dd if=/dev/zero of=/dev/null bs=600M count=1; exit $?', { name: 'first' })],
    containers: [container(forever)],
  },
  talking: {
    restartPolicy: 'Never',
    containers: [
      container('echo well said > /dev/termination-log; exit 3', { name: 'file' }),
      container('echo the last words; exit 4', { name: 'log', terminationMessagePolicy: 'FallbackToLogsOnError' }),
    ],
  },
};

const job = (nodeName: string): Job => ({
  metadata: { name: 'picky', namespace },
  spec: {
    backoffLimit: 6,
    podFailurePolicy: {
      rules: [{ action: 'FailJob', onExitCodes: { containerName: 'main', operator: 'In', values: [42] } }],
    },
    template: {
      spec: {
        nodeName,
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 1,
        containers: [container('exit 42')],
      },
    },
  },
});

beforeAll(async () => {
  rehearsal = await Rehearsal.start(async ({ hostAddress }) => {
    region = await startRegion({ host: hostAddress, networkStepMs: 50, node: 'containers' });
    return { backend: 'cci', cci: { at: region } };
  });
  const { admin, testbed } = rehearsal;
  await admin.resource(services).create({
    metadata: { name: 'serving', namespace },
    spec: { selector: { app: 'serving' }, ports: [{ port: 80 }] },
  });
  await admin.resource(jobs).create(job(testbed.nodeName));
  await Promise.all(Object.entries(specs).map(([name, spec]) => rehearsal.create(name, '', spec)));
});
afterAll(async () => {
  await rehearsal?.[Symbol.asyncDispose]();
  await region?.close();
});

async function kubectl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await rehearsal.cluster.kubectl(['-n', namespace, ...args]);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const inside = (pod: string, script: string): Promise<string> => kubectl('exec', pod, '--', 'sh', '-c', script);

const msOf = (time: string | undefined): number => Date.parse(time ?? '');
const statusIn = ({ status }: Pod, name = 'main'): ContainerStatus | undefined =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].find((each) => each.name === name);
/** Reasons and messages of the events of a pod in the cluster. */
async function told(name: string): Promise<string[]> {
  const fieldSelector = `involvedObject.uid=${uidOf(await rehearsal.get(name))}`;
  const { items } = await rehearsal.admin.resource(events).list({ namespace, fieldSelector });
  return items.map(({ reason, message }: Event) => `${reason}: ${message}`);
}

describe('probes', () => {
  test('a container that is not alive is restarted, which events say, and its last log stays', async () => {
    const pod = await rehearsal.reaches('unhealthy', 'restarted', (each) => {
      const { restartCount = 0, ready } = statusIn(each) ?? {};
      return restartCount === 1 && ready;
    });
    expect(statusIn(pod)).toMatchObject({ lastState: { terminated: { exitCode: 0 } }, state: { running: {} } });
    await expect
      .poll(() => told('unhealthy'))
      .toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^Unhealthy: Liveness probe failed/),
          'Killing: Container main failed liveness probe, will be restarted',
        ]),
      );
    expect(await kubectl('logs', '--previous', 'unhealthy')).toBe('life 1\n');
    await expect.poll(() => kubectl('logs', 'unhealthy')).toBe('life 2\n');
  });

  test('readiness moves the endpoints of the Service', async () => {
    await kubectl('label', 'pod', 'serving', 'app=serving');
    const endpoints = async (): Promise<string> => {
      const path = 'jsonpath={.items[*].endpoints[*].conditions.ready}';
      return kubectl('get', 'endpointslices', '-l', 'kubernetes.io/service-name=serving', '-o', path);
    };
    await expect.poll(endpoints).toBe('false');
    await inside('serving', 'touch /tmp/ready');
    await expect.poll(endpoints).toBe('true');
    await inside('serving', 'rm /tmp/ready');
    await expect.poll(endpoints).toBe('false');
    expect(statusIn(await rehearsal.get('serving'))).toMatchObject({ ready: false, started: true, restartCount: 0 });
  });

  test('a container that takes its time is not started, and only then watched', async () => {
    const waits = await rehearsal.reaches('slow', 'running', (pod) => statusIn(pod)?.state?.running !== undefined);
    expect(statusIn(waits)).toMatchObject({ started: false, ready: false });
    await inside('slow', 'touch /tmp/started');
    const pod = await rehearsal.ready('slow');
    expect(statusIn(pod)).toMatchObject({ started: true, ready: true, restartCount: 0 });
  });
});

test('what CCI does not offer is refused in words', async () => {
  await rehearsal.reaches('serving', 'running', (pod) => statusIn(pod)?.state?.running !== undefined);
  const refusal = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await rehearsal.cluster.kubectl(['-n', namespace, ...args]);
    expect(code).toBe(1);
    return stderr;
  };
  expect(await refusal('attach', 'serving')).toContain(
    'cannot attach to containers; use kubectl logs and kubectl exec',
  );
  expect(await refusal('port-forward', 'serving', ':80')).toContain('cannot forward ports');
  await kubectl('debug', 'serving', '--image=busybox', '-c', 'debugger', '--profile=general', '--', 'true');
  await expect
    .poll(() => told('serving'), { timeout: 180_000 })
    .toContainEqual(expect.stringMatching(/^NotSupportedByPool: spec\.ephemeralContainers\[0\]: .*kubectl exec/));
});

test('a pod is ready when its containers are and the gates of the cluster are open', async () => {
  const conditions = async (): Promise<Readonly<Record<string, string>>> => {
    const { status } = await rehearsal.get('gated');
    return Object.fromEntries((status?.conditions ?? []).map(({ type, status: holds }) => [type, holds]));
  };
  await expect.poll(conditions).toMatchObject({ ContainersReady: 'True', Ready: 'False' });
  const body = { status: { conditions: [{ type: 'example.com/open', status: 'True' }] } };
  const gated = { namespace, name: 'gated' };
  await rehearsal.admin.resource(pods).patch(gated, { type: 'strategic', body }, { subresource: 'status' });
  await expect.poll(conditions).toMatchObject({ ContainersReady: 'True', Ready: 'True' });
});

test('hooks run after the start and before the end', async () => {
  await rehearsal.ready('hooked');
  const log = kubectl('logs', '--follow', 'hooked');
  await expect.poll(() => kubectl('logs', 'hooked')).toContain('begun');
  await kubectl('delete', 'pod', 'hooked', '--wait=false');
  expect(await log).toBe('after the start\nbegun\nbefore the end\ntold to end\n');
  await rehearsal.gone('hooked');
});

describe('init containers', () => {
  test('a sidecar starts before the containers and ends after them', async () => {
    const pod = await rehearsal.reaches('accompanied', 'over', ({ status }) => status?.phase === 'Succeeded');
    expect(await kubectl('logs', 'accompanied', '-c', 'main')).toBe('up\n');
    const [side, main] = [statusIn(pod, 'side'), statusIn(pod)].map((each) => each?.state?.terminated);
    expect(main).toMatchObject({ exitCode: 0, reason: 'Completed' });
    expect(msOf(side?.startedAt)).toBeLessThan(msOf(main?.startedAt));
    expect(msOf(side?.finishedAt)).toBeGreaterThanOrEqual(msOf(main?.finishedAt));
  });

  test('one that fails is tried again, the second time after the kubelet’s pause of ten seconds', async () => {
    const pod = await rehearsal.ready('hesitant');
    expect(statusIn(pod, 'first')).toMatchObject({ restartCount: 2, state: { terminated: { exitCode: 0 } } });
    const [, second = 0, third = 0] = (await inside('hesitant', 'cat /shared/tries')).split('\n').map(Number);
    expect(third - second).toBeGreaterThanOrEqual(9);
  });

  test('one whose child is killed for its memory says so', async () => {
    const pod = await rehearsal.reaches('greedy', 'over', ({ status }) => status?.phase === 'Failed');
    expect(statusIn(pod, 'first')?.state?.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
  });
});

test('termination messages arrive, from the file or from the log', async () => {
  const pod = await rehearsal.reaches('talking', 'over', ({ status }) => status?.phase === 'Failed');
  expect(statusIn(pod, 'file')?.state?.terminated).toMatchObject({ exitCode: 3, message: 'well said\n' });
  expect(statusIn(pod, 'log')?.state?.terminated).toMatchObject({ exitCode: 4, message: 'the last words\n' });
  expect(await kubectl('logs', 'talking', '-c', 'log')).toBe('the last words\n');
});

test('a Job ends by the exit code that its policy names, without another try', async () => {
  await expect
    .poll(() => rehearsal.admin.resource(jobs).get({ namespace, name: 'picky' }))
    .toMatchObject({
      status: {
        failed: 1,
        conditions: expect.arrayContaining([
          expect.objectContaining({
            type: 'Failed',
            reason: 'PodFailurePolicy',
            message: expect.stringContaining('Container main for pod work/picky-'),
          }),
        ]),
      },
    });
});
