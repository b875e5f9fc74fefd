import { join } from 'node:path';
import { frontProxyUser } from '../pki/cluster-pki.ts';
import { flags, programPath, serverUrl, userFlags, type ClusterFacts, type ComponentSpec } from './component.ts';

export function etcdUrl(facts: Pick<ClusterFacts, 'nodeAddress' | 'ports'>): string {
  return `https://${facts.nodeAddress}:${facts.ports.etcd}`;
}

export function etcd(facts: ClusterFacts): ComponentSpec {
  const { pki, ports, nodeAddress } = facts;
  const client = etcdUrl(facts);
  const peer = `https://${nodeAddress}:${ports.etcdPeer}`;
  return {
    name: 'etcd',
    command: programPath(facts, 'etcd'),
    args: [
      ...flags({
        'data-dir': join(facts.dir, 'etcd'),
        'listen-client-urls': client,
        'advertise-client-urls': client,
        'listen-peer-urls': peer,
        'initial-advertise-peer-urls': peer,
        'initial-cluster': `default=${peer}`,
        'client-cert-auth': true,
        'trusted-ca-file': pki.cert('etcd-ca'),
        'cert-file': pki.cert('etcd'),
        'key-file': pki.key('etcd'),
        'peer-client-cert-auth': true,
        'peer-trusted-ca-file': pki.cert('etcd-ca'),
        'peer-cert-file': pki.cert('etcd'),
        'peer-key-file': pki.key('etcd'),
        // The data need not outlive the machine, and start-up is three times as fast.
        'unsafe-no-fsync': true,
      }),
      ...userFlags(facts, 'etcd', false),
    ],
    after: [],
    ready: {
      kind: 'http',
      url: `${client}/readyz`,
      caFile: pki.cert('etcd-ca'),
      client: { certFile: pki.cert('etcd-client'), keyFile: pki.key('etcd-client') },
    },
  };
}

export function apiServer(facts: ClusterFacts): ComponentSpec {
  const { pki, nodeAddress } = facts;
  return {
    name: 'kube-apiserver',
    command: programPath(facts, 'kube-apiserver'),
    args: [
      ...flags({
        'etcd-servers': etcdUrl(facts),
        'etcd-cafile': pki.cert('etcd-ca'),
        'etcd-certfile': pki.cert('etcd-client'),
        'etcd-keyfile': pki.key('etcd-client'),
        'bind-address': nodeAddress,
        'secure-port': facts.ports.api,
        'advertise-address': facts.ownNetwork ? nodeAddress : undefined,
        // On loopback there is no address that an endpoint may have.
        'endpoint-reconciler-type': facts.ownNetwork ? undefined : 'none',
        'tls-cert-file': pki.cert('api-server'),
        'tls-private-key-file': pki.key('api-server'),
        'client-ca-file': pki.cert('ca'),
        'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
        'service-account-key-file': pki.serviceAccountPublicKey,
        'service-account-signing-key-file': pki.serviceAccountKey,
        'service-cluster-ip-range': facts.options.serviceCidr,
        'authorization-mode': 'Node,RBAC',
        'enable-admission-plugins': 'NodeRestriction',
        'allow-privileged': true,
        'kubelet-certificate-authority': pki.cert('ca'),
        'kubelet-client-certificate': pki.cert('kubelet-client'),
        'kubelet-client-key': pki.key('kubelet-client'),
        'kubelet-preferred-address-types': 'InternalIP',
        // An authority of its own: the API server refuses one that also signs users.
        'requestheader-client-ca-file': pki.cert('front-proxy-ca'),
        'requestheader-allowed-names': frontProxyUser,
        'requestheader-username-headers': 'X-Remote-User',
        'requestheader-group-headers': 'X-Remote-Group',
        'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
        'proxy-client-cert-file': pki.cert('front-proxy'),
        'proxy-client-key-file': pki.key('front-proxy'),
        'enable-aggregator-routing': true,
        profiling: false,
      }),
      ...userFlags(facts, 'kube-apiserver', true),
    ],
    after: ['etcd'],
    ready: { kind: 'http', url: `${serverUrl(facts)}/readyz`, caFile: pki.cert('ca') },
  };
}

export function controllerManager(facts: ClusterFacts): ComponentSpec {
  const { pki } = facts;
  const port = facts.ports.controllerManager;
  return {
    name: 'kube-controller-manager',
    command: programPath(facts, 'kube-controller-manager'),
    args: [
      ...controllerFlags(facts, 'kube-controller-manager', port),
      ...flags({
        'service-account-private-key-file': pki.serviceAccountKey,
        'root-ca-file': pki.cert('ca'),
        'cluster-signing-cert-file': pki.cert('ca'),
        'cluster-signing-key-file': pki.key('ca'),
        'use-service-account-credentials': true,
        'service-cluster-ip-range': facts.options.serviceCidr,
        // The pod networks are given by the CNI configurations, not by the node objects.
        'allocate-node-cidrs': false,
      }),
      ...userFlags(facts, 'kube-controller-manager', true),
    ],
    // It exits for good when it meets an API server that is not ready.
    after: ['kube-apiserver'],
    ready: { kind: 'http', url: `https://${facts.nodeAddress}:${port}/healthz`, caFile: pki.cert('ca') },
  };
}

export function scheduler(facts: ClusterFacts): ComponentSpec {
  const port = facts.ports.scheduler;
  return {
    name: 'kube-scheduler',
    command: programPath(facts, 'kube-scheduler'),
    args: [...controllerFlags(facts, 'kube-scheduler', port), ...userFlags(facts, 'kube-scheduler', true)],
    after: ['kube-apiserver'],
    ready: { kind: 'http', url: `https://${facts.nodeAddress}:${port}/healthz`, caFile: facts.pki.cert('ca') },
  };
}

function controllerFlags(
  facts: ClusterFacts,
  name: 'kube-controller-manager' | 'kube-scheduler',
  port: number,
): string[] {
  const kubeconfig = facts.pki.kubeconfig(name);
  return flags({
    kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'bind-address': facts.nodeAddress,
    'secure-port': port,
    'tls-cert-file': facts.pki.cert('components'),
    'tls-private-key-file': facts.pki.key('components'),
    'leader-elect': false,
    // The usual 20 requests a second make the first service account wait for five seconds.
    'kube-api-qps': 200,
    'kube-api-burst': 400,
    profiling: false,
  });
}
