import type { Pod, PodCondition } from '@spillway/kube';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Instance } from '../../backends/backend.ts';
import { podStatus, type StatusInput, tellsEnd } from './status.ts';
import { same, statusPatch } from './status-patch.ts';
import {
  deleted,
  exited,
  running,
  startOfTime,
  testInstance,
  testPod,
  waiting,
  withStatus,
} from '../testing/objects.ts';
import { mergeStatus } from '../testing/strategic-merge.ts';

const input = (pod: Pod, instance?: Instance, more: Partial<StatusInput> = {}): StatusInput => ({
  pod,
  instance,
  over: false,
  ran: instance !== undefined,
  hostIPs: ['10.0.0.1'],
  firstSeenMs: startOfTime,
  nowMs: startOfTime + 5000,
  ...more,
});

const conditionOf = (conditions: readonly PodCondition[] | undefined, type: string): PodCondition | undefined =>
  conditions?.find((condition) => condition.type === type);

/** Of all containers of a pod whose instance starts, init containers first. */
function statesOf(pod: Pod, found: Partial<Instance>): unknown[] {
  const starting = { state: 'starting', initContainerStatuses: [], containerStatuses: [], ...found } as const;
  const { initContainerStatuses = [], containerStatuses = [] } = podStatus(input(pod, testInstance(pod, starting)));
  return [...initContainerStatuses, ...containerStatuses].map(({ state }) => state);
}

describe('the status of a pod', () => {
  it('has the ephemeral containers that its instance has, also when that is gone', () => {
    const bare = testPod();
    const status = exited('debug');
    const spec = { containers: [], ...bare.spec, ephemeralContainers: [{ name: 'debug' }, { name: 'refused' }] };
    const pod: Pod = { ...bare, spec };
    expect(podStatus(input(pod, testInstance(pod)))).not.toHaveProperty('ephemeralContainerStatuses');
    const seen = podStatus(input(pod, { ...testInstance(pod), ephemeralContainerStatuses: [status] }));
    expect(seen.ephemeralContainerStatuses).toMatchObject([{ name: 'debug' }]);
    const gone = podStatus(input(withStatus(pod, seen), undefined, { over: true, ran: true }));
    expect(gone.ephemeralContainerStatuses).toEqual(seen.ephemeralContainerStatuses);
  });

  it('that runs has everything that the API expects', () => {
    const pod = testPod();
    expect(podStatus(input(pod, testInstance(pod)))).toEqual({
      observedGeneration: 1,
      phase: 'Running',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
        (type) => ({
          type,
          status: 'True',
          observedGeneration: 1,
          lastTransitionTime: '2026-01-01T00:00:05Z',
        }),
      ),
      hostIP: '10.0.0.1',
      hostIPs: [{ ip: '10.0.0.1' }],
      podIP: '10.1.0.5',
      podIPs: [{ ip: '10.1.0.5' }],
      startTime: '2026-01-01T00:00:00Z',
      containerStatuses: [running('app')],
    });
  });

  it('keeps the address of its host when another replica serves the node: it has not moved', () => {
    const pod = testPod();
    const first = podStatus(input(pod, testInstance(pod)));
    const next = podStatus(input(withStatus(pod, first), testInstance(pod), { hostIPs: ['10.0.0.2'] }));
    expect(next).toEqual(first);
  });

  it('is over when the backend says so, which may be a moment after its last container has ended', () => {
    const pod = testPod({ spec: { restartPolicy: 'Never' }, status: { phase: 'Running' } });
    const ended = { containerStatuses: [exited('app', 1)] };
    expect(podStatus(input(pod, testInstance(pod, ended)))).toMatchObject({ phase: 'Running', ...ended });
    const why = { reason: 'DeadlineExceeded', message: 'it took too long' };
    expect(podStatus(input(pod, testInstance(pod, { ...ended, ...why, state: 'ended' })))).toMatchObject({
      phase: 'Failed',
      ...why,
    });
  });

  it('has one container status for each container, in the order of the spec', () => {
    const pod = testPod({ spec: { containers: [{ name: 'b' }, { name: 'a' }] } });
    const status = podStatus(input(pod, testInstance(pod, { containerStatuses: [running('a')] })));
    expect(status.containerStatuses?.map(({ name, state }) => [name, Object.keys(state ?? {})])).toEqual([
      ['b', ['waiting']],
      ['a', ['running']],
    ]);
  });

  it('whose init container has failed for good says PodInitializing for the others, as a kubelet does', () => {
    const spec = { restartPolicy: 'Never', initContainers: [{ name: 'init', image: 'x' }] };
    const pod = testPod({ spec });
    const failed = { initContainerStatuses: [exited('init', 1)], containerStatuses: [] };
    for (const state of ['starting', 'ended'] as const) {
      const { containerStatuses } = podStatus(input(pod, testInstance(pod, { state, ...failed })));
      expect(containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'PodInitializing' } });
    }
  });

  it('whose init containers are not done is not initialized', () => {
    const pod = testPod({ spec: { initContainers: [{ name: 'init', image: 'x' }] } });
    const initContainerStatuses = [{ ...running('init'), ready: false }];
    const instance = testInstance(pod, { state: 'starting', initContainerStatuses, containerStatuses: [] });
    const { phase, conditions } = podStatus(input(pod, instance));
    expect(phase).toBe('Pending');
    expect(conditionOf(conditions, 'Initialized')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [init]',
    });
  });

  describe('waits as a kubelet says it, whatever its backend calls it:', () => {
    const withInit = testPod({ spec: { initContainers: [{ name: 'first' }, { name: 'second' }] } });
    const pulls = { waiting: { reason: 'ErrImagePull', message: 'no such image' } };
    const initializing = { waiting: { reason: 'PodInitializing' } };
    const creating = { waiting: { reason: 'ContainerCreating' } };
    const crashed = {
      ...waiting('app', 'ContainerCreating'),
      restartCount: 1,
      lastState: { terminated: { exitCode: 1 } },
    };

    it.each<[string, unknown[], unknown[]]>([
      ['nothing is known of it', [creating], statesOf(testPod(), {})],
      [
        'init containers of the backend are not done',
        [creating],
        statesOf(testPod(), { containerStatuses: [waiting('app', 'PodInitializing')] }),
      ],
      [
        'its image cannot be pulled',
        [pulls],
        statesOf(testPod(), { containerStatuses: [{ ...waiting('app'), state: pulls }] }),
      ],
      [
        'it is created',
        [{ waiting: {} }],
        statesOf(testPod(), { containerStatuses: [{ ...waiting('app'), state: { waiting: {} } }] }),
      ],
      ['it is started again', [creating], statesOf(testPod(), { containerStatuses: [crashed] })],
      ['its init containers are not started', [initializing, initializing, initializing], statesOf(withInit, {})],
      [
        'its init containers are not started, and the backend calls it otherwise',
        [initializing, initializing, initializing],
        statesOf(withInit, {
          initContainerStatuses: [waiting('first'), waiting('second')],
          containerStatuses: [waiting('app')],
        }),
      ],
      [
        'an image of its init containers cannot be pulled',
        [pulls, initializing, initializing],
        statesOf(withInit, { initContainerStatuses: [{ ...waiting('first'), state: pulls }] }),
      ],
      [
        'its init containers are done',
        [exited('first').state, exited('second').state, initializing],
        statesOf(withInit, {
          initContainerStatuses: [exited('first'), exited('second')],
          containerStatuses: [waiting('app')],
        }),
      ],
    ])('%s', (_, expected, found) => {
      expect(found).toEqual(expected);
    });

    it('a volume of it is missing', () => {
      const held = { waiting: { reason: 'ContainerCreating', message: 'not found' } };
      expect(podStatus(input(withInit, undefined, held)).containerStatuses?.[0]?.state).toEqual({
        waiting: { reason: 'PodInitializing', message: 'not found' },
      });
    });

    it('something else holds it up now', () => {
      const before = podStatus(input(withInit, undefined, { waiting: { reason: 'A', message: 'a' } }));
      const { initContainerStatuses = [], containerStatuses = [] } = podStatus(
        input(withStatus(withInit, before), undefined, { waiting: { reason: 'B', message: 'b' } }),
      );
      const reasons = [...initContainerStatuses, ...containerStatuses].map(({ state }) => state?.waiting?.reason);
      expect(reasons).toEqual(['B', 'B', 'B']);
    });

    it('a debug container is not started', () => {
      const spec = { containers: [], ...withInit.spec, ephemeralContainers: [{ name: 'debug' }] };
      const instance = { ...testInstance(withInit), ephemeralContainerStatuses: [waiting('debug')] };
      expect(podStatus(input({ ...withInit, spec }, instance)).ephemeralContainerStatuses).toMatchObject([
        { state: initializing },
      ]);
    });
  });

  it('keeps the time of a transition while the condition stays the same', () => {
    const pod = testPod();
    const written = withStatus(pod, podStatus(input(pod, testInstance(pod))));
    const later = podStatus(input(written, testInstance(pod), { nowMs: startOfTime + 60_000 }));
    expect(conditionOf(later.conditions, 'Ready')?.lastTransitionTime).toBe('2026-01-01T00:00:05Z');
    const unready = testInstance(pod, { containerStatuses: [{ ...running('app'), ready: false }] });
    const after = podStatus(input(written, unready, { nowMs: startOfTime + 60_000 }));
    expect(conditionOf(after.conditions, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [app]',
      lastTransitionTime: '2026-01-01T00:01:00Z',
    });
  });

  it.each([
    [undefined, 'corresponding condition of pod readiness gate "x.io/gate" does not exist.'],
    ['False', 'the status of pod readiness gate "x.io/gate" is not "True", but False'],
  ])('is ready only when its readiness gates are (%s)', (gate, message) => {
    const pod = testPod({
      spec: { readinessGates: [{ conditionType: 'x.io/gate' }] },
      status: { conditions: gate === undefined ? [] : [{ type: 'x.io/gate', status: gate }] },
    });
    const { conditions } = podStatus(input(pod, testInstance(pod)));
    expect(conditionOf(conditions, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
      message,
    });
    expect(conditionOf(conditions, 'ContainersReady')?.status).toBe('True');
    expect(conditionOf(conditions, 'x.io/gate')).toBeUndefined();
  });

  it('that has ended says so in its conditions, and keeps its addresses', () => {
    const pod = testPod({
      spec: { restartPolicy: 'Never' },
      status: { phase: 'Running', podIPs: [{ ip: '10.1.0.5' }] },
    });
    const status = podStatus(
      input(pod, testInstance(pod, { state: 'ended', podIPs: [], containerStatuses: [exited('app', 0)] })),
    );
    expect(status).toMatchObject({ phase: 'Succeeded', podIP: '10.1.0.5' });
    for (const type of ['Ready', 'ContainersReady']) {
      expect(conditionOf(status.conditions, type)).toMatchObject({ status: 'False', reason: 'PodCompleted' });
    }
    expect(conditionOf(status.conditions, 'PodReadyToStartContainers')?.status).toBe('False');
  });

  it.each([
    ['exited', exited('app', 7)],
    [
      'crashed, and waited for its next try',
      { ...waiting('app', 'CrashLoopBackOff'), lastState: exited('app', 1).state ?? {} },
    ],
    ['never started', waiting('app', 'PodInitializing')],
  ])('that has ended stays what it is, whatever is seen of it afterwards: its container %s', (_, status) => {
    const pod = testPod({ spec: { restartPolicy: 'OnFailure' } });
    const instance = testInstance(pod, { state: 'ended', reason: 'Evicted', containerStatuses: [status] });
    const told = podStatus(input(pod, instance, { over: true }));
    expect(told).toMatchObject({ phase: 'Failed', reason: 'Evicted' });
    const ended = withStatus(pod, told);
    const gone = { over: true, ran: true, nowMs: startOfTime + 100_000 };
    const another = testInstance(pod, { podIPs: ['10.1.0.99'] });
    for (const later of [
      input(ended, instance, gone),
      input(ended, undefined, gone),
      input(ended, another),
      input(ended, { ...another, state: 'starting', containerStatuses: [] }),
    ]) {
      expect(statusPatch(ended, podStatus(later))).toBeUndefined();
    }
  });

  it('that has ended keeps the exit codes that are told, and gets those that its instance tells later', () => {
    const pod = testPod();
    const evicted = withStatus(pod, { phase: 'Failed', reason: 'Evicted', containerStatuses: [waiting('app')] });
    const over = { over: true, ran: true };
    const ended = (code: number): Instance =>
      testInstance(pod, { state: 'ended', podIPs: [], containerStatuses: [exited('app', code)] });
    const told = withStatus(evicted, podStatus(input(evicted, ended(7), over)));
    expect(told.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(7);
    expect(statusPatch(told, podStatus(input(told, ended(143), over)))).toBeUndefined();
    // The cluster's answer is not heard yet: what is known of the pod is older than what it was told.
    expect(statusPatch(told, podStatus(input(evicted, ended(7), over)))).toBeUndefined();
  });

  it('carries why the backend ended it', () => {
    const pod = testPod();
    const instance = testInstance(pod, { state: 'ended', reason: 'Evicted', message: 'too much memory' });
    expect(podStatus(input(pod, instance))).toMatchObject({
      phase: 'Failed',
      reason: 'Evicted',
      message: 'too much memory',
    });
  });

  it('takes conditions from the backend that only the backend knows', () => {
    const pod = testPod();
    const conditions = [{ type: 'PodReadyToStartContainers', status: 'False', reason: 'NoNetwork' }];
    const status = podStatus(input(pod, testInstance(pod, { conditions })));
    expect(conditionOf(status.conditions, 'PodReadyToStartContainers')).toMatchObject({
      status: 'False',
      reason: 'NoNetwork',
    });
  });

  it('has times in whole seconds, as the API keeps them', () => {
    const pod = testPod();
    const instance = testInstance(pod, {
      startTime: '2026-01-01T00:00:00.123456789Z',
      containerStatuses: [running('app', '2026-01-01T00:00:01.999Z')],
    });
    expect(podStatus(input(pod, instance))).toMatchObject({
      startTime: '2026-01-01T00:00:00Z',
      containerStatuses: [{ state: { running: { startedAt: '2026-01-01T00:00:01Z' } } }],
    });
  });

  it('says PodScheduled of a pod whose author named the node only once there is an instance', () => {
    const pod = testPod();
    const before = podStatus(input(pod, undefined, { waiting: { reason: 'X', message: '' } }));
    expect(conditionOf(before.conditions, 'PodScheduled')).toBeUndefined();
    expect(conditionOf(podStatus(input(pod, testInstance(pod))).conditions, 'PodScheduled')?.status).toBe('True');
  });

  it('does not follow the generation that the deletion alone has made, until the pod has ended', () => {
    const pod = testPod();
    const written = withStatus(pod, podStatus(input(pod, testInstance(pod))));
    const stopping = { ...deleted(written, startOfTime) };
    stopping.metadata = { ...stopping.metadata, generation: 2 };
    expect(statusPatch(stopping, podStatus(input(stopping, testInstance(pod))))).toBeUndefined();
    const ended = testInstance(pod, { state: 'ended', containerStatuses: [exited('app')] });
    expect(podStatus(input(stopping, ended)).observedGeneration).toBe(2);
  });
});

describe('the patch of a status', () => {
  const pod = testPod();
  const status = podStatus(input(pod, testInstance(pod)));

  it('is nothing when nothing has changed, also when the API has added its defaults', () => {
    const written = withStatus(pod, status);
    const [container] = written.status?.containerStatuses ?? [];
    const asServed: Pod = {
      ...written,
      status: {
        ...written.status,
        qosClass: 'BestEffort',
        containerStatuses: [{ ...running('app'), ...container, lastState: {} }],
        conditions: (written.status?.conditions ?? []).map((condition) => ({ ...condition, lastProbeTime: '' })),
      },
    };
    expect(statusPatch(asServed, status)).toBeUndefined();
    expect(tellsEnd(asServed.status ?? {}, status)).toBe(true);
  });

  it('names the UID, so that a pod of the same name refuses it', () => {
    expect(statusPatch(pod, status)).toMatchObject({ metadata: { uid: 'uid-1' } });
  });

  it('has only what changed', () => {
    const written = withStatus(pod, status);
    const restarted = testInstance(pod, { containerStatuses: [{ ...running('app'), restartCount: 1 }] });
    expect(statusPatch(written, podStatus(input(written, restarted)))).toEqual({
      metadata: { uid: 'uid-1' },
      status: { containerStatuses: [{ ...running('app'), restartCount: 1 }] },
    });
  });

  it('carries what the pod is annotated with, over what somebody else wrote there', () => {
    const annotations = { 'virtual-kubelet.cci.io/burst-pod-cpu': '9u', mine: 'kept' };
    const live = testPod({ metadata: { annotations } });
    expect(statusPatch(live, status, { 'virtual-kubelet.cci.io/burst-pod-cpu': '0.5u' })).toMatchObject({
      metadata: { uid: 'uid-1', annotations: { 'virtual-kubelet.cci.io/burst-pod-cpu': '0.5u' } },
      status: { phase: 'Running' },
    });
  });

  it('leaves annotations of a pod that ran as they are, but adds what is missing', () => {
    const written = withStatus(testPod({ metadata: { annotations: { size: 'as started' } } }), status);
    expect(statusPatch(written, status, { size: 'as resized since' })).toBeUndefined();
    expect(statusPatch(written, status, { size: 'as resized since', more: 'x' })).toEqual({
      metadata: { uid: 'uid-1', annotations: { more: 'x' } },
      status: {},
    });
  });

  it('replaces addresses, which would be merged otherwise', () => {
    const written = withStatus(pod, status);
    const moved = podStatus(input(written, testInstance(pod, { podIPs: ['10.1.0.9'] })));
    expect(statusPatch(written, moved)).toMatchObject({
      status: { podIP: '10.1.0.9', podIPs: [{ $patch: 'replace' }, { ip: '10.1.0.9' }] },
    });
  });

  it('clears reason and message of a condition that has none any more, and of the pod', () => {
    const unready = podStatus(input(pod, testInstance(pod, { containerStatuses: [waiting('app')] })));
    const written = withStatus(pod, { ...unready, reason: 'NodeLost', message: 'the node was away' });
    expect(statusPatch(written, status)).toMatchObject({ status: { reason: null, message: null } });
    expect(JSON.stringify(statusPatch(written, status))).toContain('"type":"Ready","status":"True"');
    expect(JSON.stringify(statusPatch(written, status))).toContain('"reason":null');
  });

  it('takes back what somebody else did to our conditions, and leaves theirs', () => {
    const conditions = (status.conditions ?? []).map((condition) =>
      condition.type === 'Ready' ? { ...condition, status: 'False', reason: 'NodeNotReady' } : condition,
    );
    const written = withStatus(pod, { ...status, conditions: [...conditions, { type: 'x.io/gate', status: 'True' }] });
    const patch = statusPatch(written, podStatus(input(written, testInstance(pod))));
    expect(patch).toMatchObject({ status: { conditions: [{ type: 'Ready', status: 'True', reason: null }] } });
    expect(JSON.stringify(patch)).not.toContain('x.io/gate');
  });

  it.each(['Succeeded', 'Failed'])('never brings a pod back that is %s', (phase) => {
    expect(statusPatch(testPod({ status: { phase } }), status)).toBeUndefined();
  });

  it('applied by the rules of a strategic merge gives the wanted status, and then nothing is left to patch', () => {
    const instances: fc.Arbitrary<Instance | undefined> = fc.option(
      fc
        .record({
          state: fc.constantFrom('starting' as const, 'running' as const, 'stopping' as const, 'ended' as const),
          podIPs: fc.constantFrom([], ['10.1.0.5'], ['10.1.0.6', 'fd00::6']),
          containerStatuses: fc.constantFrom([], [running('app')], [waiting('app')], [exited('app', 1)]),
        })
        .map((more) => testInstance(testPod(), more)),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.array(instances, { minLength: 1, maxLength: 6 }), (history) => {
        let live = testPod({ status: { phase: 'Pending', conditions: [{ type: 'x.io/gate', status: 'True' }] } });
        for (const [index, instance] of history.entries()) {
          const wanted = podStatus(input(live, instance, { nowMs: startOfTime + index * 1000 }));
          const patch = statusPatch(live, wanted);
          if (patch === undefined) continue;
          live = mergeStatus(live, patch);
          expect(statusPatch(live, wanted)).toBeUndefined();
          expect(conditionOf(live.status?.conditions, 'x.io/gate')?.status).toBe('True');
        }
      }),
    );
  });
});

describe('equal as the API sees it', () => {
  it.each([
    [undefined, null],
    [undefined, ''],
    [{}, undefined],
    [[], undefined],
    [{ a: undefined }, {}],
    [{ a: { b: {} } }, {}],
    [[{ a: 1 }], [{ a: 1, b: null }]],
  ])('%j and %j are', (a, b) => {
    expect(same(a, b)).toBe(true);
    expect(same(b, a)).toBe(true);
  });

  it.each([
    [0, undefined],
    [false, undefined],
    [[1], [1, 2]],
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    ['a', { 0: 'a' }],
    [[], 'a'],
  ])('%j and %j are not', (a, b) => {
    expect(same(a, b)).toBe(false);
    expect(same(b, a)).toBe(false);
  });
});
