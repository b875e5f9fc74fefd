import { describe, expect, test } from 'vitest';
import type { Instance } from '../../backend.ts';
import { container, exited, pod, sandbox, situation, type SituationInput } from '../../testing/observed-pods.ts';
import { instanceOf } from './status.ts';

interface Input extends SituationInput {
  readonly messages?: ReadonlyMap<string, string>;
}

const named = (name: string): { name: string; image: string } => ({ name, image: 'busybox' });

function instance(input: Input): Instance {
  const { initContainers = [], containers = ['main'] } = input.plan ?? {};
  return instanceOf({
    ...situation(input),
    workload: {
      ref: { uid: 'u-1', namespace: 'shop', name: 'web-0' },
      pod: { spec: { initContainers: initContainers.map(named), containers: containers.map(named) } },
      environment: new Map(),
      volumes: new Map(),
      objects: { configMaps: new Map(), secrets: new Map() },
      registryCredentials: [],
      hostIPs: [],
    },
    runtimeName: 'containerd',
    terminationMessages: input.messages ?? new Map(),
  });
}

describe('the status of an instance', () => {
  test('that was just accepted', () => {
    expect(instance({ plan: { initContainers: ['i'] } })).toEqual({
      ref: { uid: 'u-1', namespace: 'shop', name: 'web-0' },
      state: 'starting',
      podIPs: [],
      startTime: '1970-01-01T00:00:00Z',
      spec: { initContainers: [named('i')], containers: [named('main')] },
      initContainerStatuses: [
        {
          name: 'i',
          image: 'busybox',
          imageID: '',
          state: { waiting: { reason: 'ContainerCreating' } },
          lastState: {},
          restartCount: 0,
          started: false,
          ready: false,
        },
      ],
      containerStatuses: [
        {
          name: 'main',
          image: 'busybox',
          imageID: '',
          state: { waiting: { reason: 'PodInitializing' } },
          lastState: {},
          restartCount: 0,
          started: false,
          ready: false,
        },
      ],
      conditions: [{ type: 'PodReadyToStartContainers', status: 'False' }],
    });
  });

  test('that runs', () => {
    const input = { pod: pod([container('main', { startedAt: 1500 })]), intent: { podIPs: ['10.0.0.1'] } };
    expect(instance(input)).toMatchObject({
      state: 'running',
      podIPs: ['10.0.0.1'],
      containerStatuses: [
        {
          image: 'docker.io/library/busybox:latest',
          imageID: 'sha256:1',
          containerID: 'containerd://main-0',
          state: { running: { startedAt: '1970-01-01T00:00:01Z' } },
          started: true,
          ready: true,
        },
      ],
      conditions: [{ type: 'PodReadyToStartContainers', status: 'True' }],
    });
  });

  test('whose container crashed and waits for its next try', () => {
    const crashed = exited('main', 3, { attempt: 2, backoffMs: 80_000 });
    const [status] = instance({
      pod: pod([crashed]),
      messages: new Map([['main-2', 'out of luck']]),
    }).containerStatuses;
    expect(status).toMatchObject({
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: 'back-off 1m20s restarting failed container=main pod=web-0_shop(u-1)',
        },
      },
      lastState: {
        terminated: { exitCode: 3, reason: 'Error', message: 'out of luck', containerID: 'containerd://main-2' },
      },
      restartCount: 2,
      ready: false,
    });
  });

  test('whose container runs again tells of the end before', () => {
    const [status] = instance({ pod: pod([exited('main', 1), container('main', { attempt: 1 })]) }).containerStatuses;
    expect(status).toMatchObject({
      state: { running: {} },
      lastState: { terminated: { exitCode: 1 } },
      restartCount: 1,
    });
  });

  test('that cannot start says why, then that it waits', () => {
    const backoff = { reason: 'ImagePullBackOff', message: 'Back-off', event: '' };
    const failures = new Map([
      ['main', { at: 0, retryAt: 10_000, reason: 'ErrImagePull', message: 'no such image', backoff }],
    ]);
    const waiting = (now: number): unknown =>
      instance({ failures, pod: pod(), now }).containerStatuses[0]?.state?.waiting;
    expect(waiting(1000)).toEqual({ reason: 'ErrImagePull', message: 'no such image' });
    expect(waiting(2000)).toEqual({ reason: 'ImagePullBackOff', message: 'Back-off' });
  });

  test('whose container failed to start for good shows its end, not the failure', () => {
    const failures = new Map([
      ['main', { at: 0, retryAt: 10_000, reason: 'RunContainerError', message: 'no such file' }],
    ]);
    const broken = exited('main', 128, { reason: 'StartError', message: 'no such file' });
    const { state, containerStatuses } = instance({
      plan: { restartPolicy: 'Never' },
      failures,
      pod: pod([broken], [sandbox({ ready: false })]),
    });
    expect(state).toBe('ended');
    expect(containerStatuses[0]?.state?.terminated).toMatchObject({
      exitCode: 128,
      reason: 'StartError',
      message: 'no such file',
    });
  });

  test('that is being stopped, and then has ended for a reason', () => {
    const outcome = { reason: 'DeadlineExceeded', message: 'too long' };
    const intent = { stopBy: 5000, outcome };
    expect(instance({ intent, pod: pod([container('main')]) })).toMatchObject({ state: 'stopping', ...outcome });
    expect(instance({ intent, pod: pod([exited('main', 143)]) })).toMatchObject({ state: 'stopping' });
    expect(instance({ intent, pod: pod([exited('main', 143)], [sandbox({ ready: false })]) })).toMatchObject({
      state: 'ended',
      ...outcome,
    });
    expect(instance({ intent: { ...intent, removing: true }, pod: pod([], []) })).toMatchObject({ state: 'stopping' });
  });

  test('does not call a start that was given up for us an end', () => {
    const aborted = exited('main', 128, { reason: 'StartError', message: 'context canceled' });
    const [status] = instance({ pod: pod([aborted]) }).containerStatuses;
    expect(status).toMatchObject({
      state: { waiting: { reason: 'ContainerCreating' } },
      lastState: {},
      restartCount: 0,
    });
    expect(status).not.toHaveProperty('containerID');
  });
});
