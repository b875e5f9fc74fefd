import type { ResolvedOptions } from '../options.ts';
import { serviceAddresses } from '../network/addressing.ts';
import type { Ports } from '../network/ports.ts';
import { coreDnsUser, kubeletClientUser } from '../pki/cluster-pki.ts';
import { metricsServerObjects } from './metrics-server.ts';

export interface BootstrapFacts {
  readonly nodeAddress: string;
  readonly ports: Pick<Ports, 'metricsServer'>;
  readonly options: Pick<ResolvedOptions, 'node' | 'serviceCidr'>;
}

/** Objects that the API server does not make by itself, for `kubectl apply`. @param ca the cluster's authority, PEM */
export function bootstrapObjects(
  { nodeAddress, ports, options: { node, serviceCidr } }: BootstrapFacts,
  ca: string,
): string {
  const items = [
    clusterRoleBinding('kubelet-api', 'system:kubelet-api-admin', kubeletClientUser),
    ...(node?.services
      ? [
          coreDnsRole,
          clusterRoleBinding('coredns', coreDnsRole.metadata.name, coreDnsUser),
          ...dnsService(nodeAddress, serviceAddresses(serviceCidr).dns),
        ]
      : []),
    ...(node?.metricsServer
      ? metricsServerObjects(nodeAddress, ports.metricsServer, Buffer.from(ca).toString('base64'))
      : []),
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

const coreDnsRole = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'spillway-devcluster:coredns' },
  rules: [
    { apiGroups: [''], resources: ['services', 'namespaces'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ],
};

function clusterRoleBinding(name: string, role: string, user: string): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `spillway-devcluster:${name}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  };
}

/** CoreDNS is a process on the node's address, so its service has no selector but an endpoint of its own. */
function dnsService(nodeAddress: string, clusterIP: string): object[] {
  const metadata = { name: 'kube-dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } };
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIP, ports } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { ...metadata.labels, 'kubernetes.io/service-name': 'kube-dns' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [nodeAddress], conditions: { ready: true } }],
      ports,
    },
  ];
}
