import { basename } from 'node:path';
import { DevClusterError } from '../errors.ts';
import { exec, run } from '../exec.ts';
import { parseJson } from '../json.ts';
import { parseCidr, peeringInterface as link } from '../network/addressing.ts';
import type { Cluster } from './cluster.ts';

type Peer = Pick<Cluster, 'name' | 'netns' | 'nodeAddress' | 'podCidrs' | 'serviceCidr'>;

export interface PeeringOptions {
  /**
   * The pods of the other one reach the Services of this one: their addresses are routed to its node, whose kube-proxy does the
   * rest. The other one must have no Services of its own (`services: false`), which have the same addresses.
   */
  readonly servicesOf?: Peer;
}

/**
 * Routes the pods and the node's address of each cluster to the other, as a peering of two VPCs does. Services of one are
 * not there for the other unless `servicesOf` says so; a name server on a node's address is. Succeeds when the two are peers
 * already. It ends when either cluster goes.
 */
export async function peer(a: Peer, b: Peer, { servicesOf }: PeeringOptions = {}): Promise<void> {
  const [near, far] = [namespaceOf(a), namespaceOf(b)];
  checkNetworks(a, b);
  const pair = [link, 'netns', near, 'type', 'veth', 'peer', 'name', link, 'netns', far];
  const made = await exec('ip', ['link', 'add', ...pair]);
  if (made.code !== 0) {
    if ((await peerOf(a)) === b.name && (await peerOf(b)) === a.name) return;
    await refuseSecond(a);
    await refuseSecond(b);
    throw new DevClusterError('host', `clusters ${a.name} and ${b.name} cannot be joined: ${made.stderr.trim()}`);
  }
  try {
    await addAddresses(near, nearAddress, b);
    await addAddresses(far, farAddress, a);
    await addRoutes(near, farAddress, a, destinationsOf(b, servicesOf));
    await addRoutes(far, nearAddress, b, destinationsOf(a, servicesOf));
  } catch (error) {
    await exec('ip', ['-n', near, 'link', 'del', link]);
    throw error;
  }
}

/** Name of the cluster that is its peer, if any. */
export async function peerOf(cluster: Peer): Promise<string | undefined> {
  if (cluster.netns === undefined) return undefined;
  const { stdout, code } = await exec('ip', ['-n', namespaceOf(cluster), '-j', 'link', 'show', link]);
  return code === 0 ? parseJson<{ ifalias?: string }[]>(stdout)[0]?.ifalias : undefined;
}

// Of the link alone; no packet comes from them.
const nearAddress = '169.254.201.1';
const farAddress = '169.254.201.2';

async function addAddresses(namespace: string, address: string, other: Peer): Promise<void> {
  await run('ip', ['-n', namespace, 'addr', 'add', `${address}/30`, 'dev', link]);
  await run('ip', ['-n', namespace, 'link', 'set', link, 'alias', other.name, 'up']);
}

function destinationsOf(cluster: Peer, servicesOf: Peer | undefined): readonly string[] {
  return [
    cluster.nodeAddress,
    ...cluster.podCidrs,
    ...(servicesOf?.name === cluster.name ? [cluster.serviceCidr] : []),
  ];
}

async function addRoutes(
  namespace: string,
  gateway: string,
  from: Peer,
  destinations: readonly string[],
): Promise<void> {
  for (const destination of destinations) {
    await run('ip', ['-n', namespace, 'route', 'add', destination, 'via', gateway, 'src', from.nodeAddress]);
  }
}

function namespaceOf({ name, netns }: Peer): string {
  if (netns !== undefined) return basename(netns);
  throw new DevClusterError('host', `cluster "${name}" has no network of its own, which takes root: start it as root`);
}

function checkNetworks(a: Peer, b: Peer): void {
  for (const [one, other] of a.podCidrs.flatMap((cidr) => b.podCidrs.map((each) => [cidr, each] as const))) {
    const [x, y] = [parseCidr(one), parseCidr(other)];
    if (x === undefined || y === undefined || x.last < y.first || y.last < x.first) continue;
    throw new DevClusterError(
      'invalid',
      `clusters "${a.name}" and "${b.name}" cannot be joined: their pods have the same addresses (${one}, ${other})`,
    );
  }
}

async function refuseSecond(cluster: Peer): Promise<void> {
  const current = await peerOf(cluster);
  if (current === undefined) return;
  throw new DevClusterError(
    'exists',
    `cluster "${cluster.name}" is joined to "${current}", and can be to one at a time: all clusters use the same addresses. Take "${current}" down first`,
  );
}
