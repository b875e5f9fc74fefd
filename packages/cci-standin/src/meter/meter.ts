import { Informer, type KubeClient, type Pod, pods, systemClock } from '@spillway/kube';
import type { Cluster } from '@spillway/devcluster';
import type { RegionNode } from '../node/region-node.ts';
import { Bills, type Reading, type Run } from './bills.ts';
import { ContainerRuns } from './container-runs.ts';
import { meteredPod } from './metered-pod.ts';
import { simulatedRuns } from './simulated-runs.ts';

export interface Meter {
  /** Looks once more, and says what was billed since the region began. */
  read(): Promise<Reading>;
}

const intervalMs = 250;

/** Looks four times a second at what runs, until `undo`. */
export async function startMeter(
  parts: { cluster: Cluster; client: KubeClient; node: RegionNode | undefined },
  undo: AsyncDisposableStack,
): Promise<Meter> {
  const { client } = parts;
  const bills = new Bills();
  const runs = runsOf(parts);
  const informer = new Informer({ client, type: pods });
  const told = (pod: Pod): void => bills.pod(meteredPod(pod));
  informer.subscribe({ added: told, changed: (_before, pod) => told(pod), deleted: told });
  let last: Promise<void> = Promise.resolve();
  const lookAfter = async (before: Promise<void>): Promise<void> => {
    await before;
    // A look that fails, e.g. in the middle of a change, is none.
    const found = await runs().catch(() => undefined);
    if (found) bills.looked(found, systemClock.now());
  };
  /** One after the other, so that an older look does not come after a newer one. */
  const look = (): Promise<void> => {
    last = lookAfter(last);
    return last;
  };
  const stop = new AbortController();
  const keepLooking = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await look();
      await systemClock.sleep(intervalMs, stop.signal);
    }
  };
  const running = Promise.all([informer.run(stop.signal), keepLooking()]);
  undo.defer(async () => {
    stop.abort();
    await running;
  });
  await informer.synced;
  return {
    read: async () => {
      await look();
      return bills.read(systemClock.now());
    },
  };
}

function runsOf({ cluster, node }: Parameters<typeof startMeter>[0]): () => Promise<readonly Run[]> {
  const { instancesFile } = node ?? {};
  if (instancesFile !== undefined) return () => simulatedRuns(instancesFile);
  if (cluster.nodeContainerd === undefined) return async () => [];
  const containers = new ContainerRuns(cluster.nodeContainerd.containerdSocket);
  return () => containers.read();
}
