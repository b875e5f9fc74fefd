// What a name means, by the DNS specification of Kubernetes (kubernetes/dns, version 1.1) and as CoreDNS reads it.

export type Asked =
  /** A Service, or one of its ports or endpoints. */
  | {
      readonly kind: 'service';
      readonly namespace: string;
      readonly name: string;
      readonly port?: { readonly name: string; readonly protocol: string };
      readonly endpoint?: string;
    }
  /** The name of an address that the agent has given to a Service. */
  | { readonly kind: 'address'; readonly address: string }
  /** Of the form that only Services have, but no Service can have it. */
  | { readonly kind: 'nothing' }
  /** Another server knows. */
  | { readonly kind: 'elsewhere' };

/** @param domain of the cluster, e.g. `cluster.local` */
export function readName(name: string, domain: string): Asked {
  const lower = name.toLowerCase().replace(/\.$/, '');
  const address = addressIn(lower);
  if (address !== undefined) return { kind: 'address', address };
  const suffix = `.svc.${domain}`;
  if (!lower.endsWith(suffix)) return { kind: 'elsewhere' };
  const labels = lower.slice(0, -suffix.length).split('.').toReversed();
  const [namespace = '', service, ...more] = labels;
  // Whether there is such a namespace only the cluster's own server knows.
  if (service === undefined) return { kind: 'elsewhere' };
  const [first, second] = more;
  if (more.length > 2 || labels.some((label) => label === '')) return { kind: 'nothing' };
  if (first === undefined) return { kind: 'service', namespace, name: service };
  if (second === undefined) return { kind: 'service', namespace, name: service, endpoint: first };
  return {
    kind: 'service',
    namespace,
    name: service,
    port: { name: withoutUnderscore(second), protocol: withoutUnderscore(first) },
  };
}

const withoutUnderscore = (label: string): string => (label.startsWith('_') ? label.slice(1) : label);

/** Only of the network in which the agent gives addresses: of all others the cluster's server knows more. */
function addressIn(name: string): string | undefined {
  const [, d, c, b] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.127\.in-addr\.arpa$/.exec(name) ?? [];
  if (b === undefined || Number(b) < 64 || Number(b) > 127) return undefined;
  return `127.${b}.${c}.${d}`;
}
