import type { Pod, Service } from '@spillway/kube';
import type { Backend, DnsConfig, Notice } from '../../backends/backend.ts';
import { adaptationsOf } from '../../podspec/fit/adaptations.ts';
import { volumesOfObjects } from '../../podspec/references.ts';

export interface BackendFacts extends Pick<Backend, 'support'> {
  readonly capabilities: Pick<Backend['capabilities'], 'volumeUpdates' | 'clusterServices'>;
}

/** What people may expect of a pod and its backend cannot do, said once before it is created. */
export function backendNotices(
  pod: Pod,
  dns: DnsConfig | undefined,
  { capabilities: { volumeUpdates, clusterServices = true }, support }: BackendFacts,
  serviceAt: (address: string) => Service | undefined,
): Notice[] {
  const fixed = volumeUpdates ? [] : volumesOfObjects(pod);
  const unreachable = clusterServices
    ? []
    : (dns?.servers ?? []).flatMap((address) => {
        const metadata = serviceAt(address)?.metadata;
        return metadata ? [`${address} (Service ${metadata.namespace}/${metadata.name})`] : [];
      });
  return [
    ...adaptationsOf(pod, support).map(({ severity, code, message, remedy }) => ({
      severity,
      reason: code,
      message: `${message.charAt(0).toUpperCase()}${message.slice(1)}. ${remedy}`,
    })),
    ...(fixed.length > 0
      ? [
          {
            severity: 'Normal',
            reason: 'VolumesStay',
            message: `The volumes ${fixed.join(', ')} do not follow changes of their ConfigMaps and Secrets. To apply a change, create the pod again`,
          } as const,
        ]
      : []),
    ...(unreachable.length > 0
      ? [
          {
            severity: 'Warning',
            reason: 'DNSUnreachable',
            message: `The DNS of the pod is at ${unreachable.join(', ')}, but the pod cannot reach Services of the cluster. Set dns.clusterDNS of the pool to addresses that it can reach: those of DNS pods or of nodes`,
          } as const,
        ]
      : []),
  ];
}
