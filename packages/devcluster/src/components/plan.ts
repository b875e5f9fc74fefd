import type { BinaryName } from '../binaries/catalogue.ts';
import type { ClusterFacts, ComponentSpec } from './component.ts';
import { containerd } from './containerd.ts';
import { apiServer, controllerManager, etcd, scheduler } from './control-plane.ts';
import { kubelet, kubeProxy } from './node.ts';
import { metricsServer } from './metrics-server.ts';
import { coreDns, registry } from './services.ts';
import type { ResolvedOptions } from '../options.ts';

type Shape = Pick<ResolvedOptions, 'node'>;

/** Whether pods reach Services and know their names. */
export function hasServices({ node }: Shape): boolean {
  return node?.services ?? false;
}

/** The components of a cluster, each after those that it needs. */
export function planComponents(facts: ClusterFacts): ComponentSpec[] {
  const { node } = facts.options;
  return [
    etcd(facts),
    registry(facts),
    ...(node ? [containerd(facts, node)] : []),
    apiServer(facts),
    controllerManager(facts),
    scheduler(facts),
    ...(node ? [kubelet(facts, node)] : []),
    ...(node?.services ? [kubeProxy(facts, node), coreDns(facts)] : []),
    ...(node?.metricsServer ? [metricsServer(facts)] : []),
  ];
}

/** The programs that such a cluster needs. */
export function neededBinaries(options: Shape): BinaryName[] {
  return [
    'etcd',
    'kube-apiserver',
    'kube-controller-manager',
    'kube-scheduler',
    'kubectl',
    'registry',
    ...(options.node ? (['kubelet', 'agnhost', 'pause'] as const) : []),
    ...(hasServices(options) ? (['kube-proxy', 'coredns'] as const) : []),
    ...(options.node?.metricsServer ? (['metrics-server'] as const) : []),
  ];
}
