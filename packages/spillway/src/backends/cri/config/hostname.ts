import type { Pod } from '@spillway/kube';

const maxLength = 63;

export interface PodHostname {
  readonly hostname: string;
  /** Subdomain with the cluster's domain; empty: none. */
  readonly domain: string;
}

/** The pod's host name and domain, by the kubelet's rules. */
export function podHostname({ metadata, spec }: Pod, clusterDomain: string): PodHostname {
  const { hostname, hostnameOverride, subdomain } = spec ?? {};
  if (hostnameOverride) return { hostname: truncate(hostnameOverride), domain: '' };
  return {
    hostname: truncate(hostname || (metadata?.name ?? '')),
    domain: subdomain ? `${subdomain}.${metadata?.namespace ?? ''}.svc.${clusterDomain}` : '',
  };
}

/** What the kernel is told: the fully qualified name where the pod asks for it. */
export function kernelHostname(pod: Pod, { hostname, domain }: PodHostname): string {
  return pod.spec?.setHostnameAsFQDN && domain ? `${hostname}.${domain}` : hostname;
}

export function hostsFile(pod: Pod, { hostname, domain }: PodHostname, podIPs: readonly string[]): string {
  const names = domain ? `${hostname}.${domain}\t${hostname}` : hostname;
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...podIPs.map((ip) => `${ip}\t${names}`),
  ];
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length > 0) {
    lines.push('', '# Entries added by HostAliases.');
    lines.push(...aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`));
  }
  return `${lines.join('\n')}\n`;
}

function truncate(name: string): string {
  return name.length <= maxLength ? name : name.slice(0, maxLength).replace(/[-.]+$/, '');
}
