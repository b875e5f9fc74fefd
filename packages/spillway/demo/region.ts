import { connectRegion, type Region, RegionError, startRegion, upRegion } from '@spillway/cci-standin';
import { type Cluster, peer } from '@spillway/devcluster';
import { spillwayProgram } from '../testkit/program.ts';
import type { TestbedOptions } from '../testkit/testbed.ts';

interface RegionOptions {
  /** Where its pods and those of the cluster are to reach each other */
  readonly cluster: Cluster;
  readonly containers: boolean;
  readonly log: (line: string) => void;
}

const formOf = (containers: boolean): 'containers' | 'simulated' => (containers ? 'containers' : 'simulated');

/** A region that ends with the demo. */
export async function ownRegion({ cluster, containers, log }: RegionOptions): Promise<Region> {
  const region = await startRegion({
    clusterName: `${cluster.name}-region`,
    host: cluster.hostAddress,
    node: formOf(containers),
    program: spillwayProgram,
    log,
  });
  if (containers) await peer(region.cluster, cluster);
  return region;
}

/** A region that stays until `spillway cci-region down`, and how to reach it. */
export async function regionToKeep(options: RegionOptions): Promise<NonNullable<TestbedOptions['cci']>['at']> {
  const { cluster, containers, log } = options;
  const region = await upRegion({
    host: cluster.hostAddress,
    node: formOf(containers),
    program: spillwayProgram,
    log,
  });
  if (new URL(region.endpoint).hostname !== cluster.hostAddress) {
    throw new RegionError(
      `the region that is up at ${region.endpoint} is out of the cluster's reach: take it down first (spillway cci-region down)`,
    );
  }
  if (containers) await connectRegion(cluster.name);
  return { ...region, name: region.region };
}
