import type { ContainerStatus, Pod } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { instanceAmong } from './doubles.ts';

const status = (state: ContainerStatus['state'], ready = false): ContainerStatus => ({
  name: 'main',
  image: '',
  imageID: '',
  ready,
  restartCount: 0,
  ...(state && { state }),
});

function pod(name: string, phase: string, containerStatuses: ContainerStatus[] = [], more: Pod['metadata'] = {}): Pod {
  return {
    metadata: { name, creationTimestamp: '2026-01-01T00:00:00Z', ...more },
    spec: { containers: [{ name: 'main' }], nodeName: 'n' },
    status: { phase, containerStatuses },
  };
}

const going = { deletionTimestamp: '2026-01-01T00:01:00Z' };
const pods = {
  ready: pod('ready', 'Running', [status({ running: {} }, true)]),
  running: pod('running', 'Running', [status({ running: {} })]),
  ended: pod('ended', 'Succeeded', [status({ terminated: { exitCode: 0 } })]),
  stopping: pod('stopping', 'Running', [status({ running: {} }, true)], going),
  starting: pod('starting', 'Pending'),
  evicted: pod('evicted', 'Failed'),
};

describe('of two pods with one UID', () => {
  test.each<[keyof typeof pods, keyof typeof pods]>([
    ['ready', 'running'],
    ['ready', 'ended'],
    ['ready', 'stopping'],
    ['running', 'starting'],
    ['running', 'stopping'],
    // What it did is not done once more.
    ['ended', 'starting'],
    ['stopping', 'starting'],
    ['starting', 'evicted'],
  ])('the one that is %s is kept, the one that is %s is not', (kept, other) => {
    expect(instanceAmong([pods[kept], pods[other]])).toBe(pods[kept]);
    expect(instanceAmong([pods[other], pods[kept]])).toBe(pods[kept]);
  });

  test('and alike the older one is kept', () => {
    const [later, younger] = [{ creationTimestamp: '2026-01-01T00:00:09Z' }, { name: 'z' }];
    for (const more of [later, younger]) {
      const other = pod('other', 'Running', [status({ running: {} }, true)], more);
      expect(instanceAmong([other, pods.ready])).toBe(pods.ready);
      expect(instanceAmong([pods.ready, other])).toBe(pods.ready);
    }
  });

  test('none is none', () => {
    expect(instanceAmong([])).toBeUndefined();
  });
});
