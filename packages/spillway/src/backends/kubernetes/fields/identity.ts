import type { Container, PodSpec, Volume, VolumeMount } from '@spillway/kube';
import type { Workload } from '../../backend.ts';
import { hostnameOf } from '../pods/names.ts';

/** Runs before all containers of the pod, and is shown nowhere. */
export const hostsContainer = 'spillway-hosts';

const hostsFile = '/etc/hosts';
const maxHostname = 63;

export interface IdentityOptions {
  /** Does the cluster know `spec.hostnameOverride`? A host name with dots needs it. */
  readonly hostnameOverride?: boolean;
  /** An image with `sh` and `sed`. Undefined: a pod's fully qualified name is not in its hosts file. */
  readonly hostsImage?: string | undefined;
}

/**
 * A pod is told its own name and namespace. The kubelet over there would make `hostname.subdomain.namespace.svc` of its own
 * namespace, so the subdomain is not sent: the kubelet writes the host name alone into the hosts file, and a container that
 * runs first completes it. Nothing else knows the pod's address before its containers start.
 */
export function identityOf(
  { pod, clusterDomain }: Pick<Workload, 'pod' | 'clusterDomain'>,
  options: IdentityOptions,
): { readonly spec: Pick<PodSpec, 'hostname' | 'hostnameOverride'>; readonly hosts?: Hosts } {
  const { hostname, hostnameOverride, subdomain, setHostnameAsFQDN } = pod.spec ?? {};
  if (hostnameOverride) return { spec: { ...(hostname !== undefined && { hostname }), hostnameOverride } };
  const short = truncated(hostname || (pod.metadata?.name ?? ''));
  const domain = clusterDomain ? `${pod.metadata?.namespace}.svc.${clusterDomain}` : undefined;
  const full = subdomain && domain ? `${short}.${subdomain}.${domain}` : undefined;
  const wanted = setHostnameAsFQDN === true && full !== undefined && full.length <= maxHostname ? full : short;
  const isOverride = wanted.includes('.') && options.hostnameOverride === true;
  const label = hostnameOf(short);
  const spec = { hostname: label, ...(isOverride && { hostnameOverride: wanted }) };
  if (full === undefined || options.hostsImage === undefined) return { spec };
  return { spec, hosts: { image: options.hostsImage, written: isOverride ? wanted : label, names: [full, short] } };
}

interface Hosts {
  readonly image: string;
  /** What the kubelet writes for the pod's address. */
  readonly written: string;
  /** What is to be there, the canonical name first. */
  readonly names: readonly string[];
}

/** Gives all containers of the pod a hosts file with the pod's own names. */
export function withHosts(spec: PodSpec, { image, written, names }: Hosts): PodSpec {
  const volume: Volume = { name: hostsContainer, emptyDir: {} };
  const mount: VolumeMount = { name: hostsContainer, mountPath: hostsFile, subPath: 'hosts' };
  const own = `s/^\\([^[:space:]]*\\)[[:space:]]*${written.replaceAll('.', '\\.')}$/\\1\\t${names.join('\\t')}/`;
  const [first] = spec.containers;
  const writer: Container = {
    name: hostsContainer,
    image,
    command: ['sh', '-c', `sed '${own}' ${hostsFile} > /spillway/hosts`],
    // So that the pod's size and class stay what they are.
    ...(first?.resources && { resources: first.resources }),
    securityContext: { runAsUser: 65_534, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    volumeMounts: [{ name: hostsContainer, mountPath: '/spillway' }],
  };
  const mounted = (container: Container): Container => {
    const { volumeMounts = [] } = container;
    const isOwn = volumeMounts.some(({ mountPath }) => mountPath === hostsFile);
    return isOwn ? container : { ...container, volumeMounts: [...volumeMounts, mount] };
  };
  return {
    ...spec,
    containers: spec.containers.map(mounted),
    initContainers: [writer, ...(spec.initContainers ?? []).map(mounted)],
    volumes: [...(spec.volumes ?? []), volume],
  };
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

/** Without the one that nobody has written. */
export function isOfPod({ name }: { readonly name: string }): boolean {
  return name !== hostsContainer;
}
