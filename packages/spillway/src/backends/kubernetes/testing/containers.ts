import { offered } from '../../testing/offered.ts';
import { PassThrough } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import type { ContainerStatus } from '@spillway/kube';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../../../testkit/eventually.ts';
import type { Workload } from '../../backend.ts';
import { Driver } from '../../testing/driver.ts';
import type { RemoteCluster } from '../../testing/remote-cluster.ts';
import { forever, makeWorkload, script, type WorkloadInput } from '../../testing/workloads.ts';
import type { KubernetesBackend } from '../kubernetes-backend.ts';

/** What a kubelet makes of containers on a real kernel, as it is told here. */
export function describeContainers(remote: () => RemoteCluster): void {
  describe('containers of a real kubelet', () => {
    let backend: KubernetesBackend;
    let driver: Driver;

    beforeEach(async () => {
      backend = remote().open();
      await backend.prepare(new AbortController().signal);
      driver = new Driver(backend);
    });

    afterEach(async () => {
      await driver.finish();
      await backend.close();
    });

    const run = (spec: WorkloadInput['spec']): Promise<Workload> =>
      driver.run(makeWorkload({ image: remote().image, spec }));
    const waits = (pod: Workload, container: string, reason: string): Promise<ContainerStatus> =>
      driver.container(pod, container, ({ state }) => state?.waiting?.reason === reason);
    const trapped = async (pod: Workload): Promise<void> => {
      await driver.reaches(pod, 'running');
      await eventually('the trap', async () => (await driver.logs(pod)) === 'ready\n');
    };

    test('get SIGTERM and their grace, and their exit code is kept', async () => {
      const graceful = script('trap "sleep 0.3; exit 5" TERM; echo ready; while true; do sleep 0.05; done');
      const pod = await run({ containers: [graceful] });
      await trapped(pod);
      await backend.stop(pod.ref, { graceSeconds: 60 }, driver.signal);
      const { containerStatuses } = await driver.reaches(pod, 'ended');
      expect(containerStatuses[0]?.state?.terminated).toMatchObject({ exitCode: 5, reason: 'Error' });
    });

    test('that ignore SIGTERM run until their grace is over, and are killed then', async () => {
      const pod = await run({ containers: [script('trap "" TERM; echo ready; while true; do sleep 0.05; done')] });
      await trapped(pod);
      await backend.stop(pod.ref, { graceSeconds: 5 }, driver.signal);
      const stopping = await driver.reaches(pod, 'stopping');
      expect(stopping.containerStatuses).toMatchObject([{ state: { running: {} } }]);
      const { containerStatuses } = await driver.reaches(pod, 'ended');
      expect(containerStatuses[0]?.state?.terminated).toMatchObject({ exitCode: 137 });
    });

    test('that are active for too long end with DeadlineExceeded', async () => {
      const spec = { activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 0, containers: [script('sleep 3600')] };
      expect(await driver.reaches(await run(spec), 'ended')).toMatchObject({ reason: 'DeadlineExceeded' });
    });

    test('say their last words where the pod says, or in the log where it asks for that', async () => {
      const containers = [
        script('echo goodbye > /dev/termination-log; exit 1', { name: 'said' }),
        script('echo lost; exit 1', { name: 'logged', terminationMessagePolicy: 'FallbackToLogsOnError' }),
        script('echo fine', { name: 'silent', terminationMessagePolicy: 'FallbackToLogsOnError' }),
        script('printf elsewhere > /tmp/last', { name: 'moved', terminationMessagePath: '/tmp/last' }),
      ];
      const { containerStatuses } = await driver.reaches(await run({ restartPolicy: 'Never', containers }), 'ended');
      expect(containerStatuses.map(({ state }) => state?.terminated?.message)).toEqual([
        'goodbye\n',
        'lost\n',
        undefined,
        'elsewhere',
      ]);
    });

    test('that cannot be started say why', async () => {
      const pod = await run({ restartPolicy: 'Never', containers: [{ command: ['/no/such/program'] }] });
      const { containerStatuses } = await driver.reaches(pod, 'ended');
      expect(containerStatuses[0]?.state?.terminated).toMatchObject({
        exitCode: 128,
        reason: 'StartError',
        message: expect.stringContaining('/no/such/program'),
      });
      await eventually('its event', () =>
        driver
          .noticesOf(pod)
          .some(
            ({ severity, reason, message }) => `${severity} ${reason}` === 'Warning Failed' && /no\/such/.test(message),
          ),
      );
    });

    test('that take more memory than they may are OOMKilled', async () => {
      const hungry = script('x=.; while true; do x=$x$x; done', { resources: { limits: { memory: '20Mi' } } });
      const { containerStatuses } = await driver.reaches(
        await run({ restartPolicy: 'Never', containers: [hungry] }),
        'ended',
      );
      expect(containerStatuses[0]?.state?.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
    });

    test('have the user, groups, capabilities and read-only root that the pod asks for', async () => {
      const securityContext = {
        runAsUser: 1234,
        runAsGroup: 2345,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      };
      const text =
        'exec 2>&1; id -u; id -g; id -G; touch /x; grep -E "^(CapBnd|NoNewPrivs|Seccomp):" /proc/self/status';
      const pod = await run({
        restartPolicy: 'Never',
        containers: [script(text, { securityContext })],
        securityContext: { supplementalGroups: [3456], seccompProfile: { type: 'RuntimeDefault' } },
      });
      await driver.reaches(pod, 'ended');
      expect((await driver.logs(pod)).split('\n')).toEqual([
        '1234',
        '2345',
        '2345 3456',
        'touch: /x: Read-only file system',
        'CapBnd:\t0000000000000000',
        'NoNewPrivs:\t1',
        'Seccomp:\t2',
        '',
      ]);
    });

    test('that must not be root are not started as root', async () => {
      const pod = await run({ containers: [script('id', { securityContext: { runAsNonRoot: true } })] });
      const { state } = await waits(pod, 'main', 'CreateContainerConfigError');
      expect(state?.waiting?.message).toContain('image will run as root');
    });

    test('whose image cannot be pulled are tried again later, and those that need none run', async () => {
      const image = 'registry.invalid/no/such:1';
      const containers = [
        script('true', { name: 'pulled', image }),
        script('true', { name: 'never', image: 'nothing:1', imagePullPolicy: 'Never' }),
        { ...forever, name: 'other' },
      ];
      const pod = await run({ containers });
      // A kubelet shows it until it looks at the pod again: at once, when another container has started.
      await eventually('the first failure', () =>
        driver.events.some(
          (event) =>
            event.type === 'changed' &&
            event.instance.ref.uid === pod.ref.uid &&
            event.instance.containerStatuses.some(
              ({ name, state }) => name === 'pulled' && state?.waiting?.reason === 'ErrImagePull',
            ),
        ),
      );
      await waits(pod, 'never', 'ErrImageNeverPull');
      await driver.container(pod, 'other', ({ state }) => state?.running !== undefined);
      await waits(pod, 'pulled', 'ImagePullBackOff');
      const told = await eventually('the events', () => {
        const of = driver.noticesOf(pod).filter(({ fieldPath }) => fieldPath === 'spec.containers{pulled}');
        return of.some(({ reason }) => reason === 'BackOff') && of;
      });
      expect(told.map(({ reason, message }) => `${reason}: ${message.split(':')[0]}`)).toEqual(
        expect.arrayContaining([
          'Pulling: Pulling image "registry.invalid/no/such',
          'Failed: Failed to pull image "registry.invalid/no/such',
          'Failed: Error',
          'BackOff: Back-off pulling image "registry.invalid/no/such',
        ]),
      );
    });

    test('whose image has no name that could be one say so', async () => {
      await waits(await run({ containers: [script('true', { image: 'Not An Image' })] }), 'main', 'InvalidImageName');
    });

    test('give a terminal of the size that its user has, and one stream for all output', async () => {
      const pod = await run({ containers: [forever] });
      await driver.reaches(pod, 'running');
      const stdout = new PassThrough();
      const io = {
        tty: true,
        stdin: new PassThrough(),
        stdout,
        resize: (async function* () {
          yield { width: 80, height: 24 };
          yield { width: 111, height: 33 };
        })(),
      };
      const text =
        'until [ "$(stty size 2>/dev/null)" = "33 111" ]; do sleep 0.05; done; echo out; echo err >&2; exit 4';
      const result = await backend.exec(pod.ref, 'main', ['sh', '-c', text], offered(io), driver.signal);
      stdout.end();
      expect(result).toEqual({ exitCode: 4 });
      expect(await textOf(stdout)).toBe('out\r\nerr\r\n');
    });
  });
}
