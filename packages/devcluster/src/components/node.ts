import { join } from 'node:path';
import { serviceAddresses } from '../network/addressing.ts';
import type { ResolvedNode } from '../options.ts';
import { flags, programPath, userFlags, type ClusterFacts, type ComponentSpec, type Machine } from './component.ts';
import { containerdPaths } from './containerd.ts';

export function kubelet(facts: ClusterFacts, node: ResolvedNode): ComponentSpec {
  const dir = join(facts.dir, 'kubelet');
  const config = join(facts.dir, 'node', 'kubelet.yaml');
  return {
    name: 'kubelet',
    command: programPath(facts, 'kubelet'),
    args: [
      ...flags({
        config,
        kubeconfig: facts.pki.kubeconfig('kubelet'),
        'root-dir': dir,
        'hostname-override': node.name,
        'node-ip': facts.nodeAddress,
      }),
      ...userFlags(facts, 'kubelet', true),
    ],
    after: ['kube-apiserver', 'containerd'],
    ready: { kind: 'http', url: `http://${facts.nodeAddress}:${facts.ports.kubeletHealth}/healthz` },
    folders: [dir, podLogsDir(facts.dir)],
    files: {
      [config]: kubeletConfig(facts, node),
      // Pods see the cluster's DNS server, if there is one, and nothing of the host's.
      [resolvConfPath(facts.dir)]: `nameserver ${node.services ? facts.nodeAddress : '127.0.0.1'}\n`,
    },
  };
}

export function podLogsDir(clusterDir: string): string {
  return join(clusterDir, 'pod-logs');
}

function kubeletCgroup(scope: string): string {
  return `/${scope}/node`;
}

function resolvConfPath(clusterDir: string): string {
  return join(clusterDir, 'node', 'resolv.conf');
}

/** JSON, which is YAML. */
export function kubeletConfig(facts: ClusterFacts, node: ResolvedNode): string {
  const { pki } = facts;
  const reserved = reservedFor(node, facts.machine);
  const config = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: facts.nodeAddress,
    port: facts.ports.kubelet,
    healthzBindAddress: facts.nodeAddress,
    healthzPort: facts.ports.kubeletHealth,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pki.cert('ca') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pki.cert('kubelet'),
    tlsPrivateKeyFile: pki.key('kubelet'),
    clusterDNS: node.services ? [serviceAddresses(facts.options.serviceCidr).dns] : [],
    clusterDomain: 'cluster.local',
    resolvConf: resolvConfPath(facts.dir),
    containerRuntimeEndpoint: `unix://${containerdPaths(facts.dir).socket}`,
    podLogsDir: podLogsDir(facts.dir),
    volumePluginDir: join(facts.dir, 'kubelet', 'volume-plugins'),
    cgroupDriver: 'cgroupfs',
    cgroupRoot: kubeletCgroup(facts.scope),
    cgroupsPerQOS: true,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    maxPods: node.maxPods,
    // Pods of tests come all at once, and there is nobody else whom they could keep waiting.
    serializeImagePulls: false,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    systemReserved: { cpu: `${reserved.milliCpu}m`, memory: `${reserved.memoryBytes}` },
    enforceNodeAllocatable: [],
    // The disk is the developer's, however full it is.
    evictionHard: {},
    imageGCHighThresholdPercent: 100,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** What to take off the machine so that the wanted size remains; nothing when more is wanted than there is. */
export function reservedFor(node: ResolvedNode, machine: Machine): Machine {
  return {
    milliCpu: Math.max(0, machine.milliCpu - node.milliCpu),
    memoryBytes: Math.max(0, machine.memoryBytes - node.memoryBytes),
  };
}

export function kubeProxy(facts: ClusterFacts, node: ResolvedNode): ComponentSpec {
  const { nodeAddress, ports } = facts;
  return {
    name: 'kube-proxy',
    command: programPath(facts, 'kube-proxy'),
    args: [
      ...flags({
        kubeconfig: facts.pki.kubeconfig('kube-proxy'),
        'hostname-override': node.name,
        'proxy-mode': 'iptables',
        'cluster-cidr': node.podCidr,
        'bind-address': nodeAddress,
        'healthz-bind-address': `${nodeAddress}:${ports.proxyHealth}`,
        'metrics-bind-address': `${nodeAddress}:${ports.proxyMetrics}`,
        // These are settings of the whole machine; leave them as they are.
        'conntrack-max-per-core': 0,
        'conntrack-tcp-timeout-established': '0s',
        'conntrack-tcp-timeout-close-wait': '0s',
        'oom-score-adj': 0,
        profiling: false,
      }),
      ...userFlags(facts, 'kube-proxy', true),
    ],
    after: ['kube-apiserver'],
    ready: { kind: 'http', url: `http://${nodeAddress}:${ports.proxyHealth}/livez` },
  };
}
