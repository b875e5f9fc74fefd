import type { ContainerStatus, Pod, PodStatus } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { observe } from './observe.ts';

const ref = { uid: 'u', namespace: 'shop', name: 'web' };
const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };

function status(name: string, more: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name, image: 'busybox', imageID: '', ready: false, restartCount: 0, ...more };
}

function pod(podStatus: PodStatus, more: { deleted?: boolean; nodeName?: string } = { nodeName: 'n' }): Pod {
  const { deleted, nodeName } = more;
  const metadata = {
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...(deleted && { deletionTimestamp: '2026-01-01T00:01:00Z' }),
  };
  const spec = { containers: [{ name: 'b' }, { name: 'a' }], ...(nodeName && { nodeName }) };
  return { metadata, spec, status: podStatus };
}

describe('an instance', () => {
  test.for<[string, Pod]>([
    ['starting', pod({ phase: 'Pending' })],
    ['starting', pod({ phase: 'Running', containerStatuses: [status('a'), status('b', { state: running })] })],
    [
      'running',
      pod({ phase: 'Running', containerStatuses: [status('a', { restartCount: 1 }), status('b', { state: running })] }),
    ],
    ['stopping', pod({ phase: 'Running' }, { deleted: true, nodeName: 'n' })],
    ['ended', pod({ phase: 'Failed' }, { deleted: true, nodeName: 'n' })],
    ['ended', pod({ phase: 'Succeeded' })],
    // It never gets a node any more.
    ['ended', pod({ phase: 'Pending' }, { deleted: true })],
  ])('is %s', ([state, each]) => {
    expect(observe(ref, each).state).toBe(state);
  });

  test('waits in the words of a kubelet that runs the pod itself', () => {
    const message = 'back-off 10s restarting failed container=a pod=shop-web_burst(u2)';
    const waits = { state: { waiting: { reason: 'CrashLoopBackOff', message } } };
    const metadata = { name: 'shop-web', namespace: 'burst', uid: 'u2' };
    const there = { ...pod({ phase: 'Running', containerStatuses: [status('a', waits)] }), metadata };
    const [seen] = observe(ref, there).containerStatuses;
    expect(seen?.state?.waiting?.message).toBe('back-off 10s restarting failed container=a pod=web_shop(u)');
  });

  test('has its containers in the order of the pod, the addresses and why it ended', () => {
    const containerStatuses = [status('a'), status('b', { containerID: 'containerd://1' })];
    const seen = observe(
      ref,
      pod({
        phase: 'Failed',
        reason: 'Evicted',
        message: 'no disk',
        podIPs: [{ ip: '10.0.0.1' }],
        containerStatuses,
        conditions: [
          { type: 'PodScheduled', status: 'True' },
          { type: 'PodReadyToStartContainers', status: 'True' },
        ],
      }),
    );
    expect(seen).toEqual({
      ref,
      state: 'ended',
      podIPs: ['10.0.0.1'],
      startTime: '2026-01-01T00:00:00Z',
      spec: { containers: [{ name: 'b' }, { name: 'a' }], nodeName: 'n' },
      containerStatuses: [containerStatuses[1], containerStatuses[0]],
      initContainerStatuses: [],
      conditions: [{ type: 'PodReadyToStartContainers', status: 'True' }],
      reason: 'Evicted',
      message: 'no disk',
    });
  });

  test('has the ephemeral containers that were added to it', () => {
    const bare = pod({ phase: 'Running', ephemeralContainerStatuses: [status('two'), status('one')] });
    const ephemeralContainers = [{ name: 'one' }, { name: 'two' }];
    const added = { ...bare, spec: { containers: [], ...bare.spec, ephemeralContainers } };
    expect(observe(ref, added).ephemeralContainerStatuses?.map(({ name }) => name)).toEqual(['one', 'two']);
    expect(observe(ref, bare)).not.toHaveProperty('ephemeralContainerStatuses');
  });

  test('tells of a link agent apart from its own containers, for the bill', () => {
    const agent = status('spillway-link', { state: running });
    const each = pod({ phase: 'Running', initContainerStatuses: [agent], containerStatuses: [status('a')] });
    const spec = { containers: [], ...each.spec, initContainers: [{ name: 'spillway-link' }] };
    expect(observe(ref, { ...each, spec })).toMatchObject({
      initContainerStatuses: [],
      addedContainerStatuses: [agent],
    });
    expect(observe(ref, pod({ phase: 'Running' }))).not.toHaveProperty('addedContainerStatuses');
  });

  test('whose hosts file cannot be written says why, and nothing of what writes it', () => {
    const pulls = { state: { waiting: { reason: 'ErrImagePull' } } };
    const waits = { state: { waiting: { reason: 'PodInitializing' } } };
    const each = pod({
      phase: 'Pending',
      initContainerStatuses: [status('spillway-hosts', pulls)],
      containerStatuses: [status('a', waits), status('b', waits)],
    });
    const spec = { containers: [], ...each.spec, initContainers: [{ name: 'spillway-hosts' }] };
    expect(observe(ref, { ...each, spec })).toMatchObject({
      state: 'starting',
      initContainerStatuses: [],
      containerStatuses: [status('b', pulls), status('a', waits)],
    });
  });

  test('waits with the reason of the other cluster, and what people can do about it', () => {
    const waiting = { reason: 'ImagePullBackOff', message: 'no way out' };
    const waits = pod({ phase: 'Pending', containerStatuses: [status('a', { state: { waiting } })] });
    const seen = observe(ref, waits, (message) => (message === 'no way out' ? 'Open one' : undefined));
    expect(seen.containerStatuses[0]?.state).toEqual({ waiting: { ...waiting, message: 'no way out. Open one.' } });
    expect(observe(ref, waits).containerStatuses[0]?.state).toEqual({ waiting });
  });

  test.each([
    ['no list of containers', { containerStatuses: null }],
    [
      'something that is no status among its containers',
      { containerStatuses: [null, status('b', { state: running })] },
    ],
    ['nothing where lists should be', { initContainerStatuses: null, conditions: null, podIPs: [null] }],
    ['a container without a state', { containerStatuses: [{ ...status('b'), state: null, lastState: null }] }],
  ])('is seen when the other cluster tells %s', (_, odd) => {
    const told: Pod = JSON.parse(
      JSON.stringify({ ...pod({ phase: 'Running' }), status: { phase: 'Running', ...odd } }),
    );
    expect(observe(ref, told)).toMatchObject({ ref, state: 'starting' });
  });
});
