import { ApiError } from '@spillway/kube';
import { expect, it } from 'vitest';
import { type Moved, moveFromAddOn } from './move.ts';
import { addOnPod } from './testing/add-on-objects.ts';
import { MovingCluster } from './testing/moving-cluster.ts';

const patient = new AbortController().signal;

async function move(cluster: MovingCluster, signal = patient): Promise<readonly Moved[]> {
  const { client, clock } = cluster;
  return await moveFromAddOn({ client, clock, ask: () => [], patienceMs: 20_000, tell: () => {} }, signal);
}

const results = (moved: readonly Moved[]): unknown[] => moved.map(({ name, result }) => [name, result]);

it('the node is closed first; then pods move in small parts, until none with an owner is left', async () => {
  const cluster = new MovingCluster();
  cluster.add('Deployment', 'web', 8);
  cluster.add('StatefulSet', 'db', 8);
  cluster.put(addOnPod('report', { owner: { kind: 'Job', name: 'report' } }));
  cluster.put(addOnPod('alone', { owner: null }));
  expect(results(await move(cluster))).toEqual([
    ['web', 'moved'],
    ['report', 'left'],
    ['alone', 'left'],
    ['db', 'moved'],
  ]);
  expect(cluster.done[0]).toBe('patch Node bursting-node');
  expect(cluster.done).toHaveLength(17);
  expect(Object.fromEntries(cluster.away)).toEqual({ web: 2, db: 1 });
  expect(cluster.left().toSorted()).toEqual(['alone', 'report']);
});

it('a second run finds nothing to do, and does not cordon the node again', async () => {
  const cluster = new MovingCluster();
  cluster.add('Deployment', 'web', 2);
  await move(cluster);
  const before = cluster.done.length;
  expect(await move(cluster)).toEqual([]);
  expect(cluster.done).toHaveLength(before);
});

it('a workload whose label is not in its pod template is rolled out, and nothing of it is evicted', async () => {
  const cluster = new MovingCluster();
  cluster.add('Deployment', 'web', 3, { 'virtual-kubelet.io/burst-to-cci': 'enforce' });
  expect(results(await move(cluster))).toEqual([['web', 'moved']]);
  expect(cluster.done).toEqual(['patch Node bursting-node', 'patch Deployment web']);
});

it('what a PodDisruptionBudget keeps stays, with what the API server says', async () => {
  const cluster = new MovingCluster();
  cluster.add('Deployment', 'web', 2);
  const message = 'it would violate the pod’s disruption budget';
  cluster.refuse = () => new ApiError(message, { status: 429, reason: 'TooManyRequests' });
  expect(await move(cluster)).toMatchObject([{ name: 'web', result: 'stuck', why: message }]);
  expect(cluster.left()).toHaveLength(2);
});

it('when new pods do not get ready, no more than the first are away, and no other workload is begun', async () => {
  const cluster = new MovingCluster();
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) cluster.add('Deployment', name, 4);
  cluster.newPodsGetReady = false;
  const moved = await move(cluster);
  expect(results(moved)).toEqual([
    ...['a', 'b', 'c', 'd'].map((name) => [name, 'stuck']),
    ...['e', 'f'].map((name) => [name, 'left']),
  ]);
  expect(moved[0]?.why).toMatch(/^pod a-\d+ is not ready/);
  expect(cluster.left()).toHaveLength(20);
});

it('an answer that nobody expects ends it, and another run goes on', async () => {
  const cluster = new MovingCluster();
  for (const name of ['a', 'b', 'c', 'd']) cluster.add('Deployment', name, 4);
  cluster.refuse = (pod) =>
    pod.startsWith('b') && cluster.done.length > 4
      ? new ApiError('may not', { status: 403, reason: 'Forbidden' })
      : undefined;
  await expect(move(cluster)).rejects.toThrow('may not');
  const { length } = cluster.done;
  expect(cluster.left().length).toBeGreaterThan(0);
  cluster.refuse = () => undefined;
  expect(cluster.done).toHaveLength(length);
  expect((await move(cluster)).every(({ result }) => result === 'moved')).toBe(true);
  expect(cluster.left()).toEqual([]);
});

it('an interruption ends it', async () => {
  const cluster = new MovingCluster();
  cluster.add('Deployment', 'web', 4);
  const stop = new AbortController();
  cluster.refuse = () => {
    stop.abort(new Error('interrupted'));
    return undefined;
  };
  await expect(move(cluster, stop.signal)).rejects.toThrow('interrupted');
  expect(cluster.left()).toHaveLength(3);
  expect(cluster.done).toEqual(['patch Node bursting-node', expect.stringMatching(/^evict web/)]);
});
