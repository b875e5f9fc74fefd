import type { PodSpec } from '@spillway/kube';
import { sentences } from '../../../podspec/words.ts';
import type { Notice, Workload } from '../../backend.ts';

const maxHostname = 63;

/** Who a pod is for itself: as a kubelet of its own cluster would tell it. */
export interface Identity {
  /** What the kubelet there makes the host name of. */
  readonly spec: Pick<PodSpec, 'hostname' | 'hostnameOverride'>;
  /** The host name that the pod has with it, and the one that it should have. */
  readonly hostname: { readonly given: string; readonly wanted: string };
  /** What the pod's addresses are called in its hosts file, the fully qualified name first. Undefined: as the kubelet there writes it. */
  readonly names: readonly string[] | undefined;
}

/**
 * The kubelet there would make a fully qualified name of its own namespace and domain, so the subdomain is not sent. A host name
 * with dots is none that `hostname` may have, but `hostnameOverride` may: `knowsOverride`.
 */
export function identityOf(
  { pod, clusterDomain }: Pick<Workload, 'pod' | 'clusterDomain'>,
  knowsOverride: boolean,
): Identity {
  const { hostname, hostnameOverride, subdomain, setHostnameAsFQDN } = pod.spec ?? {};
  const { namespace, name = '' } = pod.metadata ?? {};
  const short = truncated(hostnameOverride || hostname || name);
  const isQualified = subdomain && clusterDomain && !hostnameOverride;
  const full = isQualified ? `${short}.${subdomain}.${namespace}.svc.${clusterDomain}` : undefined;
  const wanted = (setHostnameAsFQDN && full) || short;
  const isOverride = wanted.includes('.') && wanted.length <= maxHostname && knowsOverride;
  const label = short.replaceAll('.', '-');
  const given = isOverride ? wanted : label;
  return {
    spec: { hostname: label, ...(isOverride && { hostnameOverride: wanted }) },
    hostname: { given, wanted },
    names: full === undefined ? undefined : [...new Set([full, short, given])],
  };
}

/** What of it the pod does not get. `written`: the hosts file has its names. `remedy`: what people can do about one that has not. */
export function noticesOf(
  { hostname: { given, wanted }, names }: Identity,
  { written, remedy }: { readonly written: boolean; readonly remedy: string },
): Notice[] {
  const notices: Notice[] = [];
  const tell = (reason: string, message: string): unknown => notices.push({ severity: 'Normal', reason, message });
  if (given !== wanted) {
    tell(
      'HostNameDiffers',
      `The host name is "${given}" instead of "${wanted}", which cannot be set where the pod runs`,
    );
  }
  if (names && !written) {
    const unknown = `The fully qualified name "${names[0]}" is not in /etc/hosts, and "hostname -f" does not give it`;
    tell('HostNameNotQualified', sentences(unknown, remedy));
  }
  return notices;
}

/** As the kubelet does it. */
function truncated(name: string): string {
  return name.slice(0, maxHostname).replace(/[-.]+$/, '');
}

/** As it is known of versions: on by default from 1.35 on. */
export function knowsHostnameOverride(gitVersion: string): boolean {
  const [, major = 0, minor = 0] = /^v?(\d+)\.(\d+)/.exec(gitVersion)?.map(Number) ?? [];
  return major > 1 || (major === 1 && minor >= 35);
}
