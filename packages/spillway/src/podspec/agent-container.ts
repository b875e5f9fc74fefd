import type { Container, EnvVar, Pod, PodSpec, Probe, Service } from '@spillway/kube';

// The container that connects a pod with the Services of its cluster: docs/interconnect.md. Users do not see it.

export const agentContainer = 'spillway-link';

export interface AgentContainer {
  readonly image: string;
  readonly env: readonly EnvVar[];
  /** Names the file with the token. */
  readonly tokenFileVariable: string;
  /** Names the ports at which the pod itself listens. */
  readonly ownPortsVariable: string;
  /** Where the agent says whether it is ready. */
  readonly healthPort: number;
  readonly audience: string;
}

const tokenFolder = '/var/run/secrets/spillway.dev/link';
/** Bound to the pod, for nothing but the link: it ends with the pod, so that it need not end before. */
const tokenSeconds = 365 * 24 * 3600;

/** A name server in the pod is of use to a pod that asks the cluster's names. */
export function usesClusterDns({ spec }: Pod): boolean {
  const { dnsPolicy = 'ClusterFirst' } = spec ?? {};
  return dnsPolicy === 'ClusterFirst' || dnsPolicy === 'ClusterFirstWithHostNet';
}

export function hasAgent(spec: PodSpec | undefined): boolean {
  return spec?.initContainers?.some(({ name }) => name === agentContainer) === true;
}

/**
 * The pod with the agent: as a sidecar, it is there before the init containers, is restarted by itself, and keeps no pod from its end.
 * Without requests, so that the size of the pod stays what it is.
 */
export function withAgent(pod: Pod, agent: AgentContainer): Pod {
  const { image, env, tokenFileVariable, ownPortsVariable, healthPort, audience } = agent;
  const { spec = { containers: [] } } = pod;
  const container: Container = {
    name: agentContainer,
    image,
    imagePullPolicy: 'IfNotPresent',
    restartPolicy: 'Always',
    env: [
      ...env,
      { name: tokenFileVariable, value: `${tokenFolder}/token` },
      { name: ownPortsVariable, value: ownPortsOf(spec).join(',') },
    ],
    // Ports below 1024 take the one capability that is left.
    securityContext: {
      runAsUser: 0,
      runAsNonRoot: false,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
    },
    startupProbe: { httpGet: { path: '/', port: healthPort }, periodSeconds: 1, failureThreshold: 120 },
    volumeMounts: [{ name: agentContainer, mountPath: tokenFolder, readOnly: true }],
  };
  const token = { audience, path: 'token', expirationSeconds: tokenSeconds };
  return {
    ...pod,
    spec: {
      ...spec,
      initContainers: [container, ...(spec.initContainers ?? [])],
      volumes: [
        ...(spec.volumes ?? []),
        { name: agentContainer, projected: { sources: [{ serviceAccountToken: token }] } },
      ],
    },
  };
}

/** At which the pod's containers say that they listen, as `8080/TCP`. */
export function ownPortsOf({ containers, initContainers = [] }: PodSpec): string[] {
  const ports = [...initContainers, ...containers].flatMap(({ ports: declared = [], ...probes }) => [
    ...declared.map(({ containerPort, protocol = 'TCP' }) => `${containerPort}/${protocol}`),
    ...[probes.livenessProbe, probes.readinessProbe, probes.startupProbe].flatMap(probedPort),
  ]);
  return [...new Set(ports)];
}

function probedPort(probe: Probe | undefined): string[] {
  const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port ?? probe?.grpc?.port;
  return typeof port === 'number' ? [`${port}/TCP`] : [];
}

/** Services with their names in place of their addresses, which are not reachable where the agent is. */
export function byName(services: readonly Service[]): readonly Service[] {
  return services.map((service) => {
    const { metadata: { name, namespace } = {}, spec } = service;
    if (!spec?.clusterIP || spec.clusterIP === 'None') return service;
    return { ...service, spec: { ...spec, clusterIP: `${name}.${namespace}.svc` } };
  });
}
