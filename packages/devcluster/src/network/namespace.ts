import { errorMessage, DevClusterError } from '../errors.ts';
import { exec, run } from '../exec.ts';
import { parseJson } from '../json.ts';
import { freeLinks, peeringInterface, type Link } from './addressing.ts';

export function namespacePath(namespace: string): string {
  return `/run/netns/${namespace}`;
}

/** The command line that runs a program inside. Not `ip netns exec`: that remounts /sys and runc finds no cgroups. */
export function insideNamespace(namespace: string, command: readonly string[]): string[] {
  return ['nsenter', `--net=${namespacePath(namespace)}`, '--', ...command];
}

/**
 * Makes the namespace and joins it to the host by a veth pair with addresses that nothing else uses.
 * The pair goes when the namespace goes. There is no default route: nothing inside reaches beyond this machine.
 */
export async function createNamespace(namespace: string): Promise<Link> {
  await run('ip', ['netns', 'add', namespace]);
  const link = await claimLink(namespace);
  const cidr = (address: string): string => `${address}/${link.prefixLength}`;
  await run('ip', ['addr', 'add', cidr(link.hostAddress), 'dev', link.hostInterface]);
  await run('ip', ['link', 'set', link.hostInterface, 'up']);
  const inside = ['-n', namespace];
  await run('ip', [...inside, 'link', 'set', 'lo', 'up']);
  await run('ip', [...inside, 'addr', 'add', cidr(link.nodeAddress), 'dev', 'eth0']);
  await run('ip', [...inside, 'link', 'set', 'eth0', 'up']);
  await setSysctl(namespace, 'net/ipv4/ip_forward', '1');
  return link;
}

export async function makeServicesReachable(
  namespace: string,
  serviceCidr: string,
  nodeAddress: string,
): Promise<void> {
  // Connections to service addresses need a route before kube-proxy's rules can translate them.
  await run('ip', ['-n', namespace, 'route', 'add', serviceCidr, 'dev', 'eth0', 'src', nodeAddress]);
  try {
    // Pods of one bridge reach each other by service addresses only when bridged packets pass iptables.
    await setSysctl(namespace, 'net/bridge/bridge-nf-call-iptables', '1');
  } catch (error) {
    throw new DevClusterError(
      'host',
      `the kernel has no bridge netfilter, which services between pods need. Run "modprobe br_netfilter" (${errorMessage(error)})`,
      { cause: error },
    );
  }
}

/**
 * What leaves for the host has the node's address, as on any node: the host has no way back to pods. Everything else keeps the
 * addresses of pods: what goes to other pods, to the node and to a peer.
 */
export async function masqueradePods(namespace: string, podCidr: string): Promise<void> {
  const rule = ['-A', 'POSTROUTING', '-s', podCidr, '-o', 'eth0', '-j', 'MASQUERADE'];
  // Its lock is the whole machine's.
  const [command = '', ...args] = insideNamespace(namespace, ['iptables', '-w', '-t', 'nat', ...rule]);
  await run(command, args);
}

/** Succeeds when there is no such namespace. */
export async function removeNamespace(namespace: string): Promise<void> {
  // The kernel takes its time with a namespace, and the other ends of its links would stay as long.
  for (const link of ['eth0', peeringInterface]) await exec('ip', ['-n', namespace, 'link', 'del', link]);
  const result = await exec('ip', ['netns', 'del', namespace]);
  if (result.code !== 0 && !/No such file/.test(result.stderr)) {
    throw new DevClusterError('cleanup', `network namespace ${namespace} cannot be removed: ${result.stderr.trim()}`);
  }
}

async function claimLink(namespace: string): Promise<Link> {
  const listing = await run('ip', ['-4', '-j', 'route', 'show', 'table', 'all']);
  const routes = parseJson<{ dst?: string }[]>(listing || '[]');
  for (const link of freeLinks(routes.flatMap((route) => route.dst ?? []))) {
    const pair = ['link', 'add', link.hostInterface, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace];
    const result = await exec('ip', pair);
    if (result.code === 0) return link;
    if (!/File exists/.test(result.stderr)) {
      throw new DevClusterError('host', `no veth pair for ${namespace}: ${result.stderr.trim()}`);
    }
  }
  throw new DevClusterError(
    'host',
    'all of 10.201.0.0/16 is in use: stop other clusters with "spillway dev down NAME"',
  );
}

async function setSysctl(namespace: string, path: string, value: string): Promise<void> {
  const [command = '', ...args] = insideNamespace(namespace, [
    'sh',
    '-c',
    'echo "$1" > "$2"',
    'sh',
    value,
    `/proc/sys/${path}`,
  ]);
  await run(command, args);
}
