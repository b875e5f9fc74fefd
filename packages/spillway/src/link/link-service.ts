import type { Endpoint, EndpointSlice, Service } from '@spillway/kube';
import type { EndpointGroup, LinkService, ServicePort } from '@spillway/link-agent';

/** What agents are told of a Service; undefined: it stands for nothing yet. Pure. */
export function linkServiceOf(service: Service, slices: readonly EndpointSlice[]): LinkService | undefined {
  const { metadata: { namespace = '', name = '' } = {}, spec = {} } = service;
  const { type, clusterIP, externalName, ports = [], sessionAffinity, sessionAffinityConfig } = spec;
  if (type === 'ExternalName') {
    return { namespace, name, kind: 'externalName', externalName: externalName ?? '', ports: [], groups: [] };
  }
  // One that has no address yet gets it in a moment.
  if (!clusterIP) return undefined;
  const affinity = sessionAffinity === 'ClientIP' ? (sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : 0;
  return {
    namespace,
    name,
    kind: clusterIP === 'None' ? 'headless' : 'clusterIP',
    ...(affinity > 0 && { affinitySeconds: affinity }),
    ports: clusterIP === 'None' ? [] : portsOf(ports),
    groups: slices.flatMap((slice) => groupOf(slice) ?? []),
  };
}

/** The Service whose endpoints a slice has. */
export function serviceOf({ metadata }: EndpointSlice): string | undefined {
  return metadata?.labels?.['kubernetes.io/service-name'];
}

function groupOf({ addressType, endpoints, ports }: EndpointSlice): EndpointGroup | undefined {
  if (addressType !== 'IPv4') return undefined;
  const used = (endpoints ?? []).flatMap((endpoint) => endpointsOf(endpoint));
  return used.length === 0 ? undefined : { ports: portsOf(ports ?? []), endpoints: used };
}

/** Ready, or going and still serving, as the API says of conditions that are not set. */
function endpointsOf({ addresses, hostname, conditions = {} }: Endpoint): EndpointGroup['endpoints'] {
  const { ready = true, terminating = false } = conditions;
  const { serving = ready } = conditions;
  const isDraining = !ready && serving && terminating;
  if (!ready && !isDraining) return [];
  return addresses.map((address) => ({
    address,
    ...(hostname !== undefined && { hostname }),
    ...(isDraining && { draining: true }),
  }));
}

type AnyPort = { readonly name?: string; readonly port?: number; readonly protocol?: string };

function portsOf(ports: readonly AnyPort[]): readonly ServicePort[] {
  return ports.flatMap(({ name = '', port, protocol = 'TCP' }) =>
    port !== undefined && (protocol === 'TCP' || protocol === 'UDP') ? [{ name, port, protocol }] : [],
  );
}
