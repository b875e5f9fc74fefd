import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { Instance } from '../backend.ts';
import type { CriSession } from './cri-session.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { script } from './workloads.ts';

/** What containers on a real kernel are like: their end, their limits, their files, their identity. */
export function describeContainers(session: CriSession): void {
  describe('ending', () => {
    test('a container gets SIGTERM and its grace, and its exit code is kept', async () => {
      const graceful = script('trap "sleep 0.3; exit 5" TERM; echo ready; while true; do sleep 0.05; done');
      const pod = await session.driver.run(session.workload({ spec: { containers: [graceful] } }));
      await eventually(
        'the trap',
        async () =>
          (await session.driver.find(pod.ref))?.state === 'running' && (await session.driver.logs(pod)) !== '',
      );
      await session.backend.stop(pod.ref, { graceSeconds: 60 }, session.driver.signal);
      const instance = await session.driver.reaches(pod, 'ended');
      expect(instance.containerStatuses[0]?.state?.terminated).toMatchObject({ exitCode: 5, reason: 'Error' });
      expect(instance.conditions).toContainEqual({ type: 'PodReadyToStartContainers', status: 'False' });
    });

    test('one that ignores SIGTERM is killed when its grace, which may be shortened, is over', async () => {
      const stubborn = script('trap "" TERM; echo ready; while true; do sleep 0.05; done');
      const pod = await session.driver.run(session.workload({ spec: { containers: [stubborn] } }));
      await eventually(
        'the trap',
        async () =>
          (await session.driver.find(pod.ref))?.state === 'running' && (await session.driver.logs(pod)) !== '',
      );
      await session.backend.stop(pod.ref, { graceSeconds: 3600 }, session.driver.signal);
      expect(await session.driver.find(pod.ref)).toMatchObject({
        state: 'stopping',
        containerStatuses: [{ state: { running: {} } }],
      });
      await session.backend.stop(pod.ref, { graceSeconds: 1 }, session.driver.signal);
      const instance = await session.driver.reaches(pod, 'ended');
      expect(instance.containerStatuses[0]?.state?.terminated).toMatchObject({ exitCode: 137 });
    });

    test('a pod that is active for too long ends with DeadlineExceeded', async () => {
      const spec = { activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 0, containers: [script('sleep 3600')] };
      const pod = await session.driver.run(session.workload({ spec }));
      expect(await session.driver.reaches(pod, 'ended')).toMatchObject({ reason: 'DeadlineExceeded' });
    });

    test('last words are read from where the pod says, or from the log where it asks for that', async () => {
      const containers = [
        script('echo goodbye > /dev/termination-log; exit 1', { name: 'said' }),
        script('echo lost; exit 1', { name: 'logged', terminationMessagePolicy: 'FallbackToLogsOnError' }),
        script('echo fine', { name: 'silent', terminationMessagePolicy: 'FallbackToLogsOnError' }),
        script('printf elsewhere > /tmp/last', { name: 'moved', terminationMessagePath: '/tmp/last' }),
      ];
      const pod = await session.driver.run(session.workload({ spec: { restartPolicy: 'Never', containers } }));
      const { containerStatuses } = await session.driver.reaches(pod, 'ended');
      expect(containerStatuses.map(({ state }) => state?.terminated?.message)).toEqual([
        'goodbye\n',
        'lost\n',
        undefined,
        'elsewhere',
      ]);
    });

    test('a container that cannot be started says why', async () => {
      const pod = await session.driver.run(
        session.workload({ spec: { restartPolicy: 'Never', containers: [{ command: ['/no/such/program'] }] } }),
      );
      const { containerStatuses } = await session.driver.reaches(pod, 'ended');
      expect(containerStatuses[0]?.state?.terminated).toMatchObject({ exitCode: 128, reason: 'StartError' });
      expect(containerStatuses[0]?.state?.terminated?.message).toContain('/no/such/program');
      expect(session.driver.noticesOf(pod).at(-1)).toMatchObject({ severity: 'Warning', reason: 'Failed' });
    });
  });

  describe('resources', () => {
    test('limits are the kernel’s, of the container and of the pod', async () => {
      const limits = { cpu: '500m', memory: '64Mi' };
      const pod = await session.driver.run(
        session.workload({ spec: { containers: [script('sleep 3600', { resources: { limits } })] } }),
      );
      const instance = await session.driver.reaches(pod, 'running');
      const id = idOf(instance);
      for (const group of [`pod${pod.ref.uid}`, `pod${pod.ref.uid}/${id}`]) {
        const path = join(session.pool.cgroupParent, group);
        expect(await limitsOf(path)).toEqual({ memory: String(64 * 1024 * 1024), quota: '50000' });
      }
    });

    test('a container that takes more memory than it may is OOMKilled', async () => {
      const hungry = script('x=.; while true; do x=$x$x; done', { resources: { limits: { memory: '20Mi' } } });
      const pod = await session.driver.run(
        session.workload({ spec: { restartPolicy: 'Never', containers: [hungry] } }),
      );
      const { containerStatuses } = await session.driver.reaches(pod, 'ended');
      expect(containerStatuses[0]?.state?.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
    });
  });

  describe('volumes', () => {
    test('an emptyDir is shared by the containers and outlives their restarts', async () => {
      const volumeMounts = [{ name: 'scratch', mountPath: '/scratch' }];
      const writer = script('echo again >> /scratch/file; exit 1', { name: 'main', volumeMounts });
      const reader = script('sleep 3600', {
        name: 'reader',
        volumeMounts: [{ name: 'scratch', mountPath: '/seen', readOnly: true }],
      });
      const spec = { containers: [writer, reader], volumes: [{ name: 'scratch', emptyDir: {} }] };
      const pod = await session.driver.run(session.workload({ spec }));
      await session.driver.container(pod, 'main', ({ state }) => state?.waiting?.reason === 'CrashLoopBackOff');
      const path = join(session.pool.stateDir, 'pods', pod.ref.uid, 'volumes', 'scratch', 'file');
      expect(await readFile(path, 'utf8')).toBe('again\nagain\n');
    });

    test('one of memory is a tmpfs of the size that the pod allows', async () => {
      const container = script('df -k /memory | tail -n 1; touch /memory/x', {
        volumeMounts: [{ name: 'memory', mountPath: '/memory' }],
        resources: { limits: { memory: '128Mi' } },
      });
      const volumes = [{ name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } }];
      expect(await session.outputOf({ containers: [container], volumes })).toMatch(/^tmpfs +16384 /);
    });

    test('files are read-only, have the modes that were asked for, and belong to the pod’s group', async () => {
      const volumes = [
        {
          name: 'config',
          configMap: {
            name: 'config',
            defaultMode: 0o400,
            items: [
              { key: 'a', path: 'b/c', mode: 0o640 },
              { key: 'a', path: 'd' },
            ],
          },
        },
        { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
        { name: 'scratch', emptyDir: {} },
      ];
      const text =
        'exec 2>&1; cd /all; stat -L -c "%a %u:%g %n" config/b/c config/d token/token scratch; touch config/new; touch scratch/new && stat -c %g scratch/new';
      const container = script(text, {
        volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/all/${name}` })),
      });
      const securityContext = { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 };
      const output = await session.outputOf(
        { containers: [container], volumes, securityContext },
        { configMaps: { config: { data: { a: '1' } } } },
      );
      expect(output.split('\n')).toEqual([
        '640 0:2000 config/b/c',
        '440 0:2000 config/d',
        '640 1000:2000 token/token',
        '2777 0:2000 scratch',
        'touch: config/new: Read-only file system',
        '2000',
        '',
      ]);
    });

    test('a subPath mounts one file or folder, and makes the folder that is missing', async () => {
      const volumeMounts = [
        { name: 'config', mountPath: '/etc/app.conf', subPath: 'app.conf' },
        { name: 'scratch', mountPath: '/data', subPathExpr: 'made/$(NAME)' },
      ];
      const env = [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }];
      const container = script('cat /etc/app.conf; echo kept > /data/file', { volumeMounts, env });
      const volumes = [
        { name: 'config', configMap: { name: 'config' } },
        { name: 'scratch', emptyDir: {} },
      ];
      const configMaps = { config: { data: { 'app.conf': 'x=1\n' } } };
      const pod = await session.driver.run(
        session.workload({
          name: 'web-0',
          spec: { restartPolicy: 'Never', containers: [container], volumes },
          configMaps,
        }),
      );
      await session.driver.reaches(pod, 'ended');
      expect(await session.driver.logs(pod)).toBe('x=1\n');
      const path = join(session.pool.stateDir, 'pods', pod.ref.uid, 'volumes', 'scratch', 'made', 'web-0', 'file');
      expect(await readFile(path, 'utf8')).toBe('kept\n');
    });

    test('a link that leaves the volume is no way to mount the machine’s files', async () => {
      const scratch = { name: 'scratch', mountPath: '/scratch' };
      const pod = await session.driver.run(
        session.workload({
          spec: {
            initContainers: [script('ln -s /etc /scratch/evil', { name: 'plant', volumeMounts: [scratch] })],
            containers: [script('ls /host', { volumeMounts: [{ ...scratch, mountPath: '/host', subPath: 'evil' }] })],
            volumes: [{ name: 'scratch', emptyDir: {} }],
          },
        }),
      );
      const { state } = await session.driver.container(
        pod,
        'main',
        (each) => each.state?.waiting?.reason === 'CreateContainerConfigError',
      );
      expect(state?.waiting?.message).toContain('leaves its volume');
    });
  });

  describe('identity', () => {
    test('name, aliases and resolver are the pod’s', async () => {
      const spec = {
        hostname: 'web',
        subdomain: 'sites',
        hostAliases: [{ ip: '192.0.2.7', hostnames: ['one', 'two'] }],
        dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
        containers: [script('hostname; cat /etc/hosts /etc/resolv.conf')],
      };
      const output = await session.outputOf(spec);
      expect(output).toMatch(/^web\n/);
      expect(output).toMatch(/\tweb\.sites\.default\.svc\.cluster\.local\tweb\n/);
      expect(output).toContain('192.0.2.7\tone\ttwo\n');
      expect(output).toContain('nameserver 10.96.0.10\n');
      expect(output).toContain('options ndots:2\n');
    });

    test('user, groups, capabilities and a read-only root are as the pod asks', async () => {
      const securityContext = {
        runAsUser: 1234,
        runAsGroup: 2345,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      };
      const text =
        'exec 2>&1; id -u; id -g; id -G; touch /x; grep -E "^(CapBnd|NoNewPrivs|Seccomp):" /proc/self/status';
      const output = await session.outputOf({
        containers: [script(text, { securityContext })],
        securityContext: { supplementalGroups: [3456], seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(output.split('\n')).toEqual([
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

    test('who must not be root is not started as root', async () => {
      const container = script('id', { securityContext: { runAsNonRoot: true } });
      const pod = await session.driver.run(session.workload({ spec: { containers: [container] } }));
      const { state } = await session.driver.container(
        pod,
        'main',
        (each) => each.state?.waiting?.reason === 'CreateContainerConfigError',
      );
      expect(state?.waiting?.message).toContain('image will run as root');
    });
  });

  describe('images', () => {
    test('one that cannot be pulled is tried again later, with the kubelet’s reasons', async () => {
      const container = script('true', { image: 'registry.invalid/no/such:1' });
      const pod = await session.driver.run(session.workload({ spec: { containers: [container] } }));
      await session.driver.container(pod, 'main', ({ state }) => state?.waiting?.reason === 'ErrImagePull');
      await session.driver.container(pod, 'main', ({ state }) => state?.waiting?.reason === 'ImagePullBackOff');
      const reasons = session.driver.noticesOf(pod).map(({ reason, message }) => `${reason}: ${message.split(':')[0]}`);
      expect(reasons).toEqual([
        'Pulling: Pulling image "registry.invalid/no/such',
        'Failed: Failed to pull image "registry.invalid/no/such',
        'Failed: Error',
        'BackOff: Back-off pulling image "registry.invalid/no/such',
        'Failed: Error',
      ]);
    });

    test('one that may not be pulled must be there', async () => {
      const container = script('true', { image: 'nothing:1', imagePullPolicy: 'Never' });
      const pod = await session.driver.run(
        session.workload({ spec: { containers: [container, script('sleep 3600', { name: 'other' })] } }),
      );
      await session.driver.container(pod, 'main', ({ state }) => state?.waiting?.reason === 'ErrImageNeverPull');
      await session.driver.container(pod, 'other', ({ state }) => state?.running !== undefined);
    });

    test('a name that is none is said to be none', async () => {
      const pod = await session.driver.run(
        session.workload({ spec: { containers: [script('true', { image: 'Not An Image' })] } }),
      );
      await session.driver.container(pod, 'main', ({ state }) => state?.waiting?.reason === 'InvalidImageName');
    });
  });

  test('a log that is followed is complete, whatever is rotated meanwhile', async () => {
    await session.leave();
    await session.reopen({ logMaxBytes: 1000, logMaxFiles: 3, pollIntervalMs: 20 });
    const text = 'i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo line $i; sleep 0.01; done';
    const pod = await session.driver.run(
      session.workload({ spec: { restartPolicy: 'Never', containers: [script(text)] } }),
    );
    await session.driver.container(pod, 'main', ({ state }) => state?.waiting === undefined);
    const log = await session.driver.logs(pod, 'main', { follow: true });
    expect(log).toBe(Array.from({ length: 200 }, (_, index) => `line ${index + 1}\n`).join(''));
    const folder = join(session.pool.stateDir, 'logs');
    const [pods = ''] = await readdir(folder);
    expect((await readdir(join(folder, pods, 'main'))).length).toBe(3);
    expect(await session.driver.logs(pod, 'main', { tailLines: 2 })).toBe('line 199\nline 200\n');
  });

  test('a terminal has the size that its user gives it, and one stream for all output', async () => {
    const pod = await session.driver.run(session.workload({ spec: { containers: [script('sleep 3600')] } }));
    await session.driver.reaches(pod, 'running');
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
    const command = [
      'sh',
      '-c',
      'until [ "$(stty size 2>/dev/null)" = "33 111" ]; do sleep 0.05; done; echo out; echo err >&2; exit 4',
    ];
    const result = await session.backend.exec(pod.ref, 'main', command, io, session.driver.signal);
    stdout.end();
    expect(result).toEqual({ exitCode: 4 });
    expect(await textOf(stdout)).toBe('out\r\nerr\r\n');
  });

  test('the workload, which holds Secrets, is for root’s eyes only', async () => {
    const pod = await session.driver.run(session.workload({ spec: { containers: [script('sleep 3600')] } }));
    const file = join(session.pool.stateDir, 'pods', pod.ref.uid, 'workload.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(session.pool.stateDir)).mode & 0o777).toBe(0o700);
  });
}

function idOf(instance: Instance): string {
  return instance.containerStatuses[0]?.containerID?.replace(/^.*:\/\//, '') ?? '';
}

/** As either version of control groups writes them. */
async function limitsOf(group: string): Promise<{ memory: string; quota: string }> {
  const unified = await stat('/sys/fs/cgroup/cgroup.controllers').catch(() => undefined);
  if (!unified) {
    return {
      memory: await readGroup(join('memory', group, 'memory.limit_in_bytes')),
      quota: await readGroup(join('cpu', group, 'cpu.cfs_quota_us')),
    };
  }
  const [quota = ''] = (await readGroup(join(group, 'cpu.max'))).split(' ');
  return { memory: await readGroup(join(group, 'memory.max')), quota };
}

async function readGroup(path: string): Promise<string> {
  return (await readFile(join('/sys/fs/cgroup', path), 'utf8')).trim();
}
