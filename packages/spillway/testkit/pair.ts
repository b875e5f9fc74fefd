import { attachCluster, type Cluster, peer, startCluster } from '@spillway/devcluster';

/**
 * The user's cluster, with a real node of 2 CPUs, and another one, with a node for what bursts. Their pods reach each other, and
 * those of the other one are measured.
 */
export interface Pair {
  readonly here: Cluster;
  readonly there: Cluster;
}

export interface PairNames {
  readonly here: string;
  readonly there: string;
}

export async function startPair(): Promise<Pair & AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const started = await Promise.allSettled([
    startCluster({ node: { cpu: '2' } }),
    startCluster({ node: { podCidr: '10.246.0.0/16', maxPods: 250, services: false, metricsServer: true } }),
  ]);
  const [here, there] = started.map((each) => {
    if (each.status === 'fulfilled') return undo.use(each.value);
    throw each.reason;
  });
  if (here === undefined || there === undefined) throw new Error('a pair has two clusters');
  await peer(here, there);
  const clusters = undo.move();
  return { here, there, [Symbol.asyncDispose]: () => clusters.disposeAsync() };
}

export async function attachPair(names: PairNames): Promise<Pair> {
  const [here, there] = await Promise.all([attachCluster(names.here), attachCluster(names.there)]);
  return { here, there };
}
