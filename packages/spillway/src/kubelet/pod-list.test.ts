import { describe, expect, test } from 'vitest';
import { boundPods, podListJson, runningPods } from './pod-list.ts';
import { FakePods, runningPod } from './testing/fakes.ts';

async function list(pods: Parameters<typeof podListJson>[0]): Promise<{ chunks: number; value: unknown }> {
  const chunks = await Array.fromAsync(podListJson(pods));
  return { chunks: chunks.length, value: JSON.parse(chunks.join('')) };
}

describe('the list of pods', () => {
  test('is a PodList with whole pods', async () => {
    const pods = new FakePods();
    pods.known.push(runningPod('a'), runningPod('b'));
    expect((await list(boundPods(pods))).value).toEqual({
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: {},
      items: pods.known.map(({ pod }) => pod),
    });
  });

  test('of no pods is a list all the same', async () => {
    expect((await list([])).value).toMatchObject({ kind: 'PodList', items: [] });
  });

  test('of ten thousand pods comes in pieces', async () => {
    const pods = new FakePods();
    const known = runningPod();
    for (let i = 0; i < 10_000; i++) pods.known.push(known);
    const { chunks, value } = await list(boundPods(pods));
    expect(chunks).toBeGreaterThan(10);
    expect(value).toHaveProperty('items.length', 10_000);
  });

  test('that run leaves out what is not there, has ended or was asked to', async () => {
    const pods = new FakePods();
    const { pod, instance } = runningPod('running');
    pods.known.push({ pod, ...(instance && { instance }) });
    pods.known.push({ pod: runningPod('absent').pod });
    for (const state of ['stopping', 'ended'] as const) {
      const known = runningPod(state);
      if (known.instance) pods.known.push({ ...known, instance: { ...known.instance, state } });
    }
    expect((await list(runningPods(pods))).value).toMatchObject({
      items: [
        {
          metadata: { name: 'running', namespace: 'default', uid: 'uid-of-running' },
          spec: { containers: [{ name: 'main', image: 'busybox' }] },
        },
      ],
    });
  });
});
