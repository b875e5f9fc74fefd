import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseQuantity } from '../../podspec/quantities.ts';
import { eventually, eventuallyHolds } from '../../../testkit/eventually.ts';
import {
  type Backend,
  BackendError,
  type Dismantled,
  type Instance,
  type InstanceUsage,
  type Workload,
} from '../backend.ts';
import { Driver } from './driver.ts';
import { forever, makeWorkload, script, type WorkloadInput } from './workloads.ts';

export interface BackendUnderTest {
  /** An image with a shell. */
  readonly image: string;
  /** Reasons of events that this backend adds. Default: none */
  readonly addedEvents?: readonly string[];
  /** The workload in a size that the backend has. Default: any is. */
  readonly sized?: (workload: Workload) => Workload;
  /**
   * Somebody else runs the pods: one of a name at a time, with one log, which ends with the pod, and volumes that follow within
   * minutes. `stoppedIsGone`: what was stopped is not there as ended until it is removed. Default: everything is done here.
   */
  readonly elsewhere?: { readonly stoppedIsGone: boolean };
  /** A backend on the same state each time, as a process has after a restart. Only one is open at a time. */
  open(): Promise<Backend>;
  /** What is left on the other side while the backend is still open; each test waits until it is nothing. */
  residue?(): Promise<readonly string[]>;
  /** Called once, at the end. */
  dispose?(): Promise<void>;
}

/** What every backend must do, whatever runs its pods. */
export function describeBackendConformance(name: string, make: () => Promise<BackendUnderTest>): void {
  describe(`${name} backend`, () => {
    let subject: BackendUnderTest;
    let backend: Backend;
    let driver: Driver;

    beforeAll(async () => {
      subject = await make();
    });

    beforeEach(async () => {
      backend = await subject.open();
      await backend.prepare(new AbortController().signal);
      driver = new Driver(backend);
    });

    afterEach(async () => {
      await driver.finish();
      await eventually('nothing is left', async () => ((await subject.residue?.()) ?? []).length === 0);
      await backend.close();
    });

    afterAll(async () => {
      await subject?.dispose?.();
    });

    const workload = (input: Omit<WorkloadInput, 'image'>): Workload => {
      const made = makeWorkload({ ...input, image: subject.image });
      return subject.sized?.(made) ?? made;
    };
    const stopped = (pod: Workload): Promise<Instance> =>
      subject.elsewhere?.stoppedIsGone ? driver.isGone(pod) : driver.reaches(pod, 'ended');

    /** Until there is nothing more to do; what the last look has found. */
    const dismantled = (): Promise<Dismantled> =>
      eventually('everything to be dismantled', async () => {
        const found = await backend.dismantle(driver.signal);
        return found.removed.length === 0 && !found.remains.some(({ ending }) => ending) && found;
      });

    describe('dismantling', () => {
      test('leaves what an instance needs, tells what would be done, and in the end leaves nothing; then it begins anew', async () => {
        const pod = await driver.run(workload({ spec: { containers: [forever] } }));
        await driver.reaches(pod, 'running');
        const preview = await backend.dismantle(driver.signal, { dryRun: true });
        expect(preview.remains).toEqual([]);
        await backend.dismantle(driver.signal);
        expect(await driver.find(pod.ref)).toMatchObject({ state: 'running' });
        await backend.remove(pod.ref, driver.signal);
        await driver.isGone(pod);
        expect(await dismantled()).toEqual({ removed: [], remains: [], others: [] });
        expect(await dismantled()).toEqual({ removed: [], remains: [], others: [] });

        await eventually('it to be prepared anew', async () => {
          await backend.prepare(driver.signal);
          return true;
        });
        const next = await driver.run(workload({ spec: { containers: [forever] } }));
        await driver.reaches(next, 'running');
      });
    });

    describe('creating', () => {
      test('a pod runs, has an address, and says whose it is', async () => {
        const pod = await driver.run(workload({ name: 'web', spec: { containers: [forever] } }));
        const instance = await driver.reaches(pod, 'running');
        expect(instance.ref).toEqual(pod.ref);
        expect(instance.podIPs).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/)]);
        expect(instance.containerStatuses).toMatchObject([
          { name: 'main', ready: true, started: true, restartCount: 0, state: { running: {} } },
        ]);
        expect(instance.containerStatuses[0]?.containerID).toMatch(/^[a-z]+:\/\/.+/);
        expect(Date.parse(instance.startTime)).toBeGreaterThan(0);
      });

      test('asked twice, and at the same time, makes one instance', async () => {
        const pod = workload({ spec: { containers: [forever] } });
        await Promise.all([driver.run(pod), driver.run(pod)]);
        await driver.reaches(pod, 'running');
        await driver.run(pod);
        const { instances } = await backend.list(driver.signal);
        expect(instances.filter(({ ref }) => ref.uid === pod.ref.uid)).toHaveLength(1);
      });

      test('pods of the same name and another UID are two instances', async () => {
        const first = await driver.run(workload({ name: 'db-0', spec: { containers: [forever] } }));
        const second = workload({ name: 'db-0', spec: { containers: [forever] } });
        await driver.run(second);
        const [one, other] = [await driver.reaches(first, 'running'), await driver.reaches(second, 'running')];
        expect(one.podIPs).not.toEqual(other.podIPs);
        await backend.remove(first.ref, driver.signal);
        expect(await driver.find(second.ref)).toMatchObject({ state: 'running' });
      });

      test('tells the story of a start in the kubelet’s events', async () => {
        const pod = await driver.run(workload({ spec: { containers: [forever] } }));
        await driver.reaches(pod, 'running');
        const told = await eventually('Started', () => {
          const all = driver.noticesOf(pod).filter(({ reason }) => !subject.addedEvents?.includes(reason));
          return all.some(({ reason }) => reason === 'Started') && all;
        });
        expect(told.map(({ reason }) => reason)).toEqual(['Pulled', 'Created', 'Started']);
        expect(told[0]).toMatchObject({ severity: 'Normal', fieldPath: 'spec.containers{main}' });
      });
    });

    describe('containers', () => {
      test('init containers run one after the other, then the containers', async () => {
        const steps = ['first', 'second'].map((each) => script(`echo ${each}`, { name: each }));
        const pod = await driver.run(workload({ spec: { initContainers: steps, containers: [forever] } }));
        const instance = await driver.reaches(pod, 'running');
        expect(instance.initContainerStatuses).toMatchObject([
          { name: 'first', ready: true, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          { name: 'second', ready: true, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
        ]);
        const started = (): (string | undefined)[] =>
          driver.noticesOf(pod).flatMap(({ reason, fieldPath }) => (reason === 'Started' ? [fieldPath] : []));
        // Events come after what they tell.
        await eventually('the last start to be told', () => started().includes('spec.containers{main}'));
        expect(started()).toEqual([
          'spec.initContainers{first}',
          'spec.initContainers{second}',
          'spec.containers{main}',
        ]);
      });

      test('an init container that fails for good ends the pod before its containers', async () => {
        const initContainers = [script('exit 4', { name: 'check' })];
        const pod = await driver.run(
          workload({ spec: { restartPolicy: 'Never', initContainers, containers: [forever] } }),
        );
        const instance = await driver.reaches(pod, 'ended');
        expect(instance.initContainerStatuses).toMatchObject([
          { state: { terminated: { exitCode: 4, reason: 'Error' } } },
        ]);
        expect(instance.containerStatuses[0]?.state?.waiting?.reason).toBe('PodInitializing');
        expect(instance.containerStatuses[0]?.containerID).toBeUndefined();
      });

      test('exit codes are kept until the instance is removed', async () => {
        const containers = [script('exit 0', { name: 'good' }), script('exit 3', { name: 'bad' })];
        const pod = await driver.run(workload({ spec: { restartPolicy: 'Never', containers } }));
        const instance = await driver.reaches(pod, 'ended');
        expect(instance.containerStatuses).toMatchObject([
          { name: 'good', ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          { name: 'bad', ready: false, state: { terminated: { exitCode: 3, reason: 'Error' } } },
        ]);
        const { startedAt, finishedAt } = instance.containerStatuses[1]?.state?.terminated ?? {};
        expect(Date.parse(finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ''));
      });

      test('OnFailure restarts what failed and leaves what succeeded', async () => {
        const containers = [script('exit 0', { name: 'good' }), script('exit 1', { name: 'bad' })];
        const pod = await driver.run(workload({ spec: { restartPolicy: 'OnFailure', containers } }));
        // A kubelet that starts the container again as soon as it may hardly shows that it waits.
        const bad = await driver.container(
          pod,
          'bad',
          ({ restartCount, state }) =>
            restartCount >= 1 && (subject.elsewhere !== undefined || state?.waiting?.reason === 'CrashLoopBackOff'),
        );
        expect(bad.lastState).toMatchObject({ terminated: { exitCode: 1 } });
        const good = await driver.container(pod, 'good', () => true);
        expect(good).toMatchObject({ restartCount: 0, state: { terminated: { exitCode: 0 } } });
        const backOff = await eventually('BackOff', () =>
          driver.noticesOf(pod).find(({ reason }) => reason === 'BackOff'),
        );
        expect(backOff).toMatchObject({ severity: 'Warning', fieldPath: 'spec.containers{bad}' });
      });

      test('Always restarts what succeeded, too', async () => {
        const pod = await driver.run(workload({ spec: { containers: [script('exit 0')] } }));
        const again = await driver.container(pod, 'main', ({ restartCount }) => restartCount >= 1);
        expect(again.lastState).toMatchObject({ terminated: { exitCode: 0, reason: 'Completed' } });
      });

      test('variables refer to each other and to the pod’s address, command and arguments to them', async () => {
        const env = [
          { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'URL', value: 'http://$(IP):$$(PORT)/$(KUBERNETES_SERVICE_HOST)' },
        ];
        const container = { command: ['echo'], args: ['$(URL)', '$(UNKNOWN)'], env };
        const pod = await driver.run(workload({ spec: { restartPolicy: 'Never', containers: [container] } }));
        const { podIPs } = await driver.reaches(pod, 'ended');
        const apiServer = backend.capabilities.clusterServices === false ? '' : '10.96.0.1';
        expect(await driver.logs(pod)).toBe(`http://${podIPs[0]}:$(PORT)/${apiServer} $(UNKNOWN)\n`);
      });

      test('files of ConfigMaps, Secrets and tokens are where the pod mounts them', async () => {
        const sources = [{ configMap: { name: 'settings' } }, { serviceAccountToken: { path: 'token' } }];
        const volumes = [
          { name: 'all', projected: { sources } },
          { name: 'secret', secret: { secretName: 'login', items: [{ key: 'password', path: 'deep/er' }] } },
        ];
        const volumeMounts = [
          { name: 'all', mountPath: '/all' },
          { name: 'secret', mountPath: '/secret' },
        ];
        const container = script('cat /all/colour /all/token /secret/deep/er', { volumeMounts });
        const pod = await driver.run(
          workload({
            spec: { restartPolicy: 'Never', containers: [container], volumes },
            configMaps: { settings: { data: { colour: 'blue\n' } } },
            secrets: { login: { data: { password: Buffer.from('\nsesame').toString('base64') } } },
          }),
        );
        await driver.reaches(pod, 'ended');
        expect(await driver.logs(pod)).toBe('blue\ntoken for the API server\nsesame');
      });
    });

    describe('stopping and removing', () => {
      test('a stopped pod ends, is not started again, and keeps its status and log', async () => {
        const pod = await driver.run(workload({ spec: { containers: [script('echo hello; sleep 3600')] } }));
        await driver.reaches(pod, 'running');
        await eventually('the log', async () => (await driver.logs(pod)) === 'hello\n');
        await backend.stop(pod.ref, { graceSeconds: 1 }, driver.signal);
        await backend.stop(pod.ref, { graceSeconds: 30 }, driver.signal);
        const instance = await stopped(pod);
        expect(instance.containerStatuses).toMatchObject([
          { ready: false, restartCount: 0, state: { terminated: {} } },
        ]);
        expect(instance.containerStatuses[0]?.state?.terminated?.exitCode).toBeGreaterThan(0);
        if (!subject.elsewhere) expect(await driver.logs(pod)).toBe('hello\n');
        await eventually('Killing', () => driver.noticesOf(pod).some(({ reason }) => reason === 'Killing'));
      });

      test('a pod that is stopped while it starts never runs', async () => {
        const initContainers = [script('sleep 3600', { name: 'wait' })];
        const pod = await driver.run(workload({ spec: { initContainers, containers: [forever] } }));
        // Whoever has only begun to watch does not hear of what came and went before.
        await driver.isSeen(pod);
        await backend.stop(pod.ref, { graceSeconds: 0 }, driver.signal);
        const instance = await stopped(pod);
        expect(instance.containerStatuses[0]?.containerID).toBeUndefined();
      });

      test('what is removed is gone at once, also while it runs; what is not there counts as removed', async () => {
        const pod = await driver.run(workload({ spec: { containers: [forever] } }));
        await driver.reaches(pod, 'running');
        await Promise.all([backend.remove(pod.ref, driver.signal), backend.remove(pod.ref, driver.signal)]);
        expect(await driver.find(pod.ref)).toBeUndefined();
        await backend.remove(pod.ref, driver.signal);
        await backend.stop(pod.ref, { graceSeconds: 1 }, driver.signal);
        await eventually('the news', () =>
          driver.events.some((each) => each.type === 'gone' && each.ref.uid === pod.ref.uid),
        );
      });

      test('a pod can be removed while it starts', async () => {
        const pod = await driver.run(workload({ spec: { containers: [forever] } }));
        await backend.remove(pod.ref, driver.signal);
        expect(await driver.find(pod.ref)).toBeUndefined();
      });
    });

    describe('logs', () => {
      const twoStreams = script('echo one; echo two >&2; echo three; sleep 3600');

      test('come whole, from their end, from one stream, or cut off', async () => {
        const pod = await driver.run(workload({ spec: { containers: [twoStreams] } }));
        await eventually('three lines', async () => {
          const instance = await driver.find(pod.ref);
          return instance?.state === 'running' && (await driver.logs(pod)).includes('three');
        });
        expect((await driver.logs(pod)).split('\n').toSorted()).toEqual(['', 'one', 'three', 'two']);
        expect(await driver.logs(pod, 'main', { tailLines: 0 })).toBe('');
        expect(await driver.logs(pod, 'main', { limitBytes: 5 })).toHaveLength(5);
        expect(await driver.logs(pod, 'main', { since: BigInt(Date.now() + 60_000) * 1_000_000n })).toBe('');
        const stamped = await driver.logs(pod, 'main', { timestamps: true });
        expect(stamped).toMatch(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) (one|two|three)\n){3}$/);
        if (subject.elsewhere) {
          await expect(driver.logs(pod, 'main', { stream: 'Stderr' })).rejects.toMatchObject({ kind: 'invalid' });
          return;
        }
        expect(await driver.logs(pod, 'main', { stream: 'Stderr' })).toBe('two\n');
        expect(await driver.logs(pod, 'main', { stream: 'Stdout', tailLines: 1 })).toBe('three\n');
        expect(await driver.logs(pod, 'main', { stream: 'Stdout', limitBytes: 5 })).toBe('one\nt');
      });

      test('that are followed end with the container, or when nobody reads any more', async () => {
        const pod = await driver.run(
          workload({ spec: { restartPolicy: 'Never', containers: [script('echo one; sleep 1; echo two')] } }),
        );
        await driver.container(pod, 'main', ({ state }) => state?.waiting === undefined);
        expect(await driver.logs(pod, 'main', { follow: true })).toBe('one\ntwo\n');

        const endless = await driver.run(
          workload({ name: 'endless', spec: { containers: [script('echo one; sleep 3600')] } }),
        );
        await driver.reaches(endless, 'running');
        const leaving = new AbortController();
        const sink = { write: async (): Promise<void> => leaving.abort() };
        const options = { follow: true, timestamps: false, previous: false, stream: 'All' } as const;
        await backend.logs?.(endless.ref, 'main', options, sink, leaving.signal);
      });

      test('of the attempt before the last can be asked for', async () => {
        const pod = await driver.run(workload({ spec: { containers: [script('echo done; exit 1')] } }));
        // Between two attempts a kubelet may have no attempt before the last yet.
        await eventuallyHolds(async () => expect(await driver.logs(pod, 'main', { previous: true })).toBe('done\n'));
      });

      test('of a container that does not exist, or has not started, are refused', async () => {
        const initContainers = [script('sleep 3600', { name: 'wait' })];
        const pod = await driver.run(workload({ spec: { initContainers, containers: [forever] } }));
        await driver.container(pod, 'wait', ({ state }) => state?.running !== undefined);
        await expect(driver.logs(pod, 'other')).rejects.toMatchObject({ kind: 'notFound' });
        await expect(driver.logs(pod, 'main')).rejects.toMatchObject({
          kind: 'conflict',
          message: expect.stringContaining('is waiting to start'),
        });
        await expect(driver.logs(pod, 'wait', { previous: true })).rejects.toMatchObject({ kind: 'notFound' });
      });
    });

    describe('volumes that get other files', () => {
      test('show them in what runs, and keep them for the next process; other volumes stay', async () => {
        const volumes = [
          { name: 'settings', configMap: { name: 'settings' } },
          { name: 'login', secret: { secretName: 'login' } },
        ];
        const container = {
          ...forever,
          volumeMounts: volumes.map((each) => ({ name: each.name, mountPath: `/${each.name}` })),
        };
        const pod = await driver.run(
          workload({
            spec: { containers: [container], volumes },
            configMaps: { settings: { data: { key: 'old', more: 'x' } } },
            secrets: { login: { data: { key: Buffer.from('kept').toString('base64') } } },
          }),
        );
        await driver.reaches(pod, 'running');
        const file = { path: 'key', mode: 0o644, content: Buffer.from('new') };
        const settings = { ...pod.objects.configMaps.get('settings'), data: { key: 'new' } };
        const objects = { ...pod.objects, configMaps: new Map([['settings', settings]]) };
        const change = { volumes: new Map([['settings', [file]]]), objects };
        await backend.update?.(pod.ref, change, driver.signal);
        const read = async (): Promise<string> =>
          String((await driver.exec(pod, ['cat', '/settings/key', '/login/key'])).stdout);
        if (subject.elsewhere) {
          await eventually('the new files', async () => (await read()) === 'newkept');
        }
        expect(await read()).toBe('newkept');
        expect((await driver.exec(pod, ['cat', '/settings/more'])).exitCode).not.toBe(0);
        await driver.detach();
        await backend.close();
        backend = await subject.open();
        await backend.prepare(new AbortController().signal);
        driver = new Driver(backend);
        await driver.reaches(pod, 'running');
        expect(await read()).toBe('newkept');
      });

      test('of a pod that is not here are no error', async () => {
        const pod = workload({ spec: { containers: [forever] } });
        const { volumeUpdates, pullSecretUpdates = false } = backend.capabilities;
        expect(volumeUpdates || pullSecretUpdates).toBe(backend.update !== undefined);
        await backend.update?.(pod.ref, { volumes: new Map(), objects: pod.objects }, driver.signal);
        expect(await driver.find(pod.ref)).toBeUndefined();
      });
    });

    describe('exec', () => {
      test('gives exit code and output, the two streams apart', async () => {
        const pod = await driver.run(workload({ spec: { containers: [forever] } }));
        await driver.reaches(pod, 'running');
        const { exitCode, stdout, stderr } = await driver.exec(pod, ['sh', '-c', 'echo out; echo err >&2; exit 7']);
        expect({ exitCode, stdout: String(stdout), stderr: String(stderr) }).toEqual({
          exitCode: 7,
          stdout: 'out\n',
          stderr: 'err\n',
        });
      });

      test('hands input through unchanged, to its end', async () => {
        const pod = await driver.run(workload({ spec: { containers: [forever] } }));
        await driver.reaches(pod, 'running');
        const input = Buffer.alloc(1_000_000, 'Spillway ');
        const { exitCode, stdout } = await driver.exec(pod, ['cat'], input);
        expect(exitCode).toBe(0);
        expect(stdout.equals(input)).toBe(true);
      });

      test('in a pod that is not here, or has ended, is refused', async () => {
        const pod = workload({ spec: { restartPolicy: 'Never', containers: [script('exit 0')] } });
        await expect(driver.exec(pod, ['true'])).rejects.toMatchObject({ kind: 'notFound' });
        await driver.run(pod);
        await driver.reaches(pod, 'ended');
        await expect(driver.exec(pod, ['true'])).rejects.toMatchObject({ kind: 'conflict' });
      });
    });

    describe('attach', () => {
      test('gives what the container runs its input, and hands on its output until it ends', async () => {
        // What it wrote last before it ends, attach may lose, on a real node too: it goes on for a moment.
        const reader = script('cat; sleep 1', { stdin: true, stdinOnce: true });
        const pod = workload({ spec: { restartPolicy: 'Never', containers: [reader] } });
        if (!backend.capabilities.attach) {
          await expect(driver.attach(pod, 'hello\n')).rejects.toBeInstanceOf(BackendError);
          return;
        }
        await driver.run(pod);
        await driver.reaches(pod, 'running');
        const { stdout, exitCode } = await driver.attach(pod, 'hello\n');
        expect([String(stdout), exitCode]).toEqual(['hello\n', 0]);
        await driver.reaches(pod, 'ended');
        await expect(driver.attach(pod, '')).rejects.toMatchObject({ kind: 'conflict' });
      });
    });

    describe('port-forward', () => {
      test('reaches what listens in the pod, and says of other ports that the connection is refused', async () => {
        const server = script('nc -ll -p 8080 -e cat', { ports: [{ containerPort: 8080 }] });
        const pod = workload({ spec: { terminationGracePeriodSeconds: 1, containers: [server] } });
        if (!backend.capabilities.portForward) {
          await expect(driver.portForward(pod)).rejects.toBeInstanceOf(BackendError);
          return;
        }
        await driver.run(pod);
        await driver.reaches(pod, 'running');
        await eventually('the server to listen', async () => {
          const first = await driver.portForward(pod);
          const { failure } = await driver.exchange(first, 8080, Buffer.from('hello'));
          await first.close();
          return failure === '';
        });
        const way = await driver.portForward(pod);
        const input = Buffer.alloc(100_000, 'Spillway ');
        const answers = await Promise.all(
          [8080, 8080, 8081].map(async (port) => await driver.exchange(way, port, input)),
        );
        const [first, second, refused] = answers;
        expect([first, second]).toEqual(Array.from({ length: 2 }, () => ({ output: input, failure: '' })));
        expect(refused?.failure).toMatch(/error forwarding port 8081 to pod .*connection refused/);
        await way.close();
      });
    });

    describe('a restart of Spillway', () => {
      test('finds every instance as it was, and starts nothing again', async () => {
        const running = await driver.run(workload({ name: 'running', spec: { containers: [forever] } }));
        const ended = await driver.run(
          workload({ name: 'ended', spec: { restartPolicy: 'Never', containers: [script('exit 5')] } }),
        );
        await driver.reaches(ended, 'ended');
        const look = async (): Promise<object[]> =>
          [await driver.reaches(running, 'running'), await driver.reaches(ended, 'ended')].map(withoutConditions);
        const before = await look();
        await driver.detach();
        await backend.close();

        backend = await subject.open();
        await backend.prepare(new AbortController().signal);
        driver = new Driver(backend);
        expect(await look()).toEqual(before);
        await driver.run(running);
        expect(await look()).toEqual(before);
      });
    });

    test('what a pod uses is told, and a measurement always with its time', async () => {
      const pod = await driver.run(workload({ spec: { containers: [forever] } }));
      await driver.reaches(pod, 'running');
      const measured = async (): Promise<InstanceUsage | undefined> =>
        (await backend.usage(driver.signal)).find(({ uid }) => uid === pod.ref.uid);
      const usage = await eventually('a measurement', measured);
      expect(usage.containers).toMatchObject([{ name: 'main' }]);
      expect(usage.containers[0]?.cores).toBeGreaterThanOrEqual(0);
      expect(usage.containers[0]?.memoryBytes).toBeGreaterThan(0);
      expect(usage.windowMs).toBeGreaterThan(0);
      expect(Math.abs(Date.now() - usage.atMs)).toBeLessThan(300_000);
      // A new container may be measured twice in a second, and times are told in seconds.
      const again = await eventually('one measurement to be told twice', async () => {
        const [once, twice] = [await measured(), await measured()];
        return isDeepStrictEqual(once, twice) && twice;
      });
      expect(again.atMs).toBeGreaterThanOrEqual(usage.atMs);
    });

    test('what the node offers is given in quantities, and a healthy backend answers a ping', async () => {
      const { cpu, memory, pods } = await backend.capacity(driver.signal);
      expect([cpu, memory, pods].map((each) => parseQuantity(each).ok)).toEqual([true, true, true]);
      await expect(backend.ping(driver.signal)).resolves.toBeUndefined();
    });
  });
}

/** What a remote kubelet says of an ended pod's sandbox may come later than its end. */
function withoutConditions(instance: Instance): object {
  return { ...instance, conditions: undefined };
}
