import type { Pod } from '@spillway/kube';
import type { Notice } from './notice.ts';

export interface NodeDns {
  /** Addresses of the cluster's DNS Service; empty: pods get the host's resolver. */
  readonly clusterServers: readonly string[];
  /** E.g. `cluster.local`; empty: no cluster search domains. */
  readonly clusterDomain: string;
  /** Resolver of the host, for `dnsPolicy: Default`; absent: the backend's own. */
  readonly host?: DnsConfig;
}

/** What the pod's `/etc/resolv.conf` says. */
export interface DnsConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface ResolvedDns {
  /** Absent: the backend's own resolver, unchanged. */
  readonly config?: DnsConfig;
  readonly notices: readonly Notice[];
}

const maxServers = 3;
const maxSearches = 32;
const maxSearchLength = 253;
const maxSearchLineLength = 2048;
const empty: DnsConfig = { servers: [], searches: [], options: [] };

/** The base that `dnsPolicy` names, with `dnsConfig` merged in and cut to the resolver's limits, as the kubelet does it. */
export function resolveDns(pod: Pod, node: NodeDns): ResolvedDns {
  const notices: Notice[] = [];
  const base = baseOf(pod, node, notices);
  const own = pod.spec?.dnsConfig;
  if (!base && !own) return { notices };
  const { servers, searches, options } = base ?? empty;
  const config: DnsConfig = {
    servers: limitServers([...new Set([...servers, ...(own?.nameservers ?? [])])], notices),
    searches: limitSearches([...new Set([...searches, ...(own?.searches ?? [])])], notices),
    options: mergeOptions(options, own?.options ?? []),
  };
  return { config, notices };
}

function baseOf(pod: Pod, node: NodeDns, notices: Notice[]): DnsConfig | undefined {
  const { dnsPolicy = 'ClusterFirst', hostNetwork = false } = pod.spec ?? {};
  if (dnsPolicy === 'None') return empty;
  if (dnsPolicy === 'Default' || (dnsPolicy === 'ClusterFirst' && hostNetwork)) return node.host;
  if (node.clusterServers.length > 0) {
    return { servers: node.clusterServers, searches: clusterSearches(pod, node), options: ['ndots:5'] };
  }
  notices.push({
    severity: 'Warning',
    reason: 'MissingClusterDNS',
    message: `No address of the cluster's DNS is configured for this node, so the pod cannot be created with policy "${dnsPolicy}". Falling back to "Default" policy.`,
  });
  return node.host;
}

function clusterSearches(pod: Pod, { clusterDomain, host }: NodeDns): string[] {
  const own = host?.searches ?? [];
  if (!clusterDomain) return [...own];
  const namespace = pod.metadata?.namespace ?? 'default';
  return [...new Set([`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain, ...own])];
}

function mergeOptions(
  base: readonly string[],
  own: readonly { readonly name?: string; readonly value?: string }[],
): string[] {
  const options = new Map<string, string>();
  for (const option of base) {
    const colon = option.indexOf(':');
    if (colon === -1) options.set(option, '');
    else options.set(option.slice(0, colon), option.slice(colon + 1));
  }
  for (const { name = '', value = '' } of own) options.set(name, value);
  return Array.from(options, ([name, value]) => (value ? `${name}:${value}` : name));
}

function limitServers(servers: string[], notices: Notice[]): string[] {
  if (servers.length <= maxServers) return servers;
  const kept = servers.slice(0, maxServers);
  notices.push(
    exceeded(
      `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${kept.join(' ')}`,
    ),
  );
  return kept;
}

function limitSearches(searches: string[], notices: Notice[]): string[] {
  const kept = searches.slice(0, maxSearches).filter((search) => search.length <= maxSearchLength);
  while (kept.join(' ').length > maxSearchLineLength) kept.pop();
  if (kept.length < searches.length) {
    notices.push(
      exceeded(
        `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${kept.join(' ')}`,
      ),
    );
  }
  return kept;
}

function exceeded(message: string): Notice {
  return { severity: 'Warning', reason: 'DNSConfigForming', message };
}
