import { attachCluster, peer } from '@spillway/devcluster';
import { RegionError } from '../errors.ts';
import { statusOfRegion } from './detached.ts';
import { clusterName } from './facts.ts';

export interface Connection {
  readonly cluster: string;
  /** Network of the region's pods */
  readonly podCidr: string;
  /** Where the region's pods can ask for names of the cluster */
  readonly nameServer: string;
}

/** Routes the pods of the region and those of a cluster of `spillway dev up` to each other, until either goes. */
export async function connectRegion(name: string): Promise<Connection> {
  const region = await statusOfRegion();
  if (region === undefined) throw new RegionError('there is no region. Start one: spillway cci-region up');
  const { node } = region;
  if (node.form !== 'containers') {
    throw new RegionError(
      `pods of the region have no network (its node: ${node.form}): start it with "spillway cci-region up --node containers"`,
    );
  }
  const [ours, theirs] = await Promise.all([attachCluster(clusterName), attachCluster(name)]);
  await peer(ours, theirs);
  return { cluster: name, podCidr: node.podCidr, nameServer: theirs.nodeAddress };
}
