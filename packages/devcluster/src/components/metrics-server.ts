import { metricsServerHost, metricsServerUser } from '../pki/cluster-pki.ts';
import { flags, programPath, userFlags, type ClusterFacts, type ComponentSpec } from './component.ts';

const [serviceName = '', namespace = ''] = metricsServerHost.split('.');
const service = { name: serviceName, namespace };

/** A process on the node's address rather than a pod, with the flags of its own manifests. */
export function metricsServer(facts: ClusterFacts): ComponentSpec {
  const { pki, nodeAddress, ports } = facts;
  const kubeconfig = pki.kubeconfig('metrics-server');
  return {
    name: 'metrics-server',
    command: programPath(facts, 'metrics-server'),
    args: [
      ...flags({
        kubeconfig,
        'authentication-kubeconfig': kubeconfig,
        'authorization-kubeconfig': kubeconfig,
        'bind-address': nodeAddress,
        'secure-port': ports.metricsServer,
        'tls-cert-file': pki.cert('metrics-server'),
        'tls-private-key-file': pki.key('metrics-server'),
        'kubelet-certificate-authority': pki.cert('ca'),
        'kubelet-preferred-address-types': 'InternalIP,ExternalIP,Hostname',
        'kubelet-use-node-status-port': true,
        'metric-resolution': '15s',
      }),
      ...userFlags(facts, 'metrics-server', false),
    ],
    after: ['kube-apiserver'],
    afterObjects: true,
    // Ready when it has scraped for the first time, which is more than a cluster waits for.
    ready: { kind: 'http', url: `https://${nodeAddress}:${ports.metricsServer}/livez`, caFile: pki.cert('ca') },
  };
}

/** What its own manifests make, for a process that the API server reaches at the node's address. */
export function metricsServerObjects(nodeAddress: string, port: number, caBundle: string): object[] {
  const rbac = 'rbac.authorization.k8s.io';
  const subjects = [{ apiGroup: rbac, kind: 'User', name: metricsServerUser }];
  const ports = [{ name: 'https', port, protocol: 'TCP' }];
  const clusterRole = (name: string, rules: readonly object[], labels: object = {}): object => ({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels },
    rules,
  });
  const bound = (name: string, role: string): object => ({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
    subjects,
  });
  return [
    clusterRole(
      'system:aggregated-metrics-reader',
      [{ apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }],
      Object.fromEntries(['view', 'edit', 'admin'].map((to) => [`${rbac}/aggregate-to-${to}`, 'true'])),
    ),
    clusterRole('system:metrics-server', [
      { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
    ]),
    bound('system:metrics-server', 'system:metrics-server'),
    bound('metrics-server:system:auth-delegator', 'system:auth-delegator'),
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'metrics-server-auth-reader', namespace },
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'extension-apiserver-authentication-reader' },
      subjects,
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: service,
      spec: { ports: [{ name: 'https', port: 443, targetPort: port, protocol: 'TCP' }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...service, labels: { 'kubernetes.io/service-name': serviceName } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [nodeAddress], conditions: { ready: true } }],
      ports,
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        service,
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        caBundle,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    },
  ];
}
