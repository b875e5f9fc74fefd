import type { Owner, Workload } from '../../backend.ts';
import { containersOf } from '../../../podspec/containers.ts';
import type { PodSandboxConfig } from '../generated/runtime/v1/PodSandboxConfig.ts';
import type { PortMapping } from '../generated/runtime/v1/PortMapping.ts';
import { kernelHostname, podHostname } from './hostname.ts';
import { podMarks } from './marks.ts';
import { sandboxSecurity } from './security.ts';

export interface SandboxInput {
  readonly owner: Owner;
  readonly workload: Workload;
  readonly attempt: number;
  readonly logDirectory: string;
  /** Empty: the runtime's default. */
  readonly cgroupParent: string;
}

export function sandboxConfig({
  owner,
  workload,
  attempt,
  logDirectory,
  cgroupParent,
}: SandboxInput): PodSandboxConfig {
  const { ref, pod, dns } = workload;
  const marks = podMarks(owner, ref);
  const { sysctls = [] } = pod.spec?.securityContext ?? {};
  return {
    metadata: { ...ref, attempt },
    hostname: kernelHostname(pod, podHostname(pod, workload.clusterDomain ?? '')),
    logDirectory,
    labels: { ...pod.metadata?.labels, ...marks },
    annotations: { ...pod.metadata?.annotations, ...marks },
    portMappings: portMappings(workload),
    linux: {
      cgroupParent,
      securityContext: sandboxSecurity(pod),
      sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [name, value])),
    },
    ...(dns && { dnsConfig: { servers: [...dns.servers], searches: [...dns.searches], options: [...dns.options] } }),
  };
}

function portMappings({ pod }: Workload): PortMapping[] {
  return containersOf(pod).flatMap(({ container: { ports = [] } }) =>
    ports
      .filter(({ hostPort }) => hostPort)
      .map(({ hostPort, containerPort, hostIP, protocol }) => ({
        protocol: protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP',
        containerPort,
        hostPort: hostPort ?? 0,
        hostIp: hostIP ?? '',
      })),
  );
}
