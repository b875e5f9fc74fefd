import type { BinaryName } from '../binaries/catalogue.ts';
import type { ClusterFacts, ComponentSpec } from './component.ts';
import { containerd } from './containerd.ts';
import { apiServer, controllerManager, etcd, scheduler } from './control-plane.ts';
import { kubelet, kubeProxy } from './node.ts';
import { coreDns, registry } from './services.ts';

export function runsContainers(options: { readonly node: object | undefined; readonly pool: boolean }): boolean {
  return options.node !== undefined || options.pool;
}

/** The components of a cluster, each after those that it needs. */
export function planComponents(facts: ClusterFacts): ComponentSpec[] {
  const { node, pool } = facts.options;
  return [
    etcd(facts),
    registry(facts),
    ...(pool ? [containerd(facts, 'pool')] : []),
    ...(node ? [containerd(facts, 'node')] : []),
    apiServer(facts),
    controllerManager(facts),
    scheduler(facts),
    ...(node ? [kubelet(facts, node)] : []),
    ...(runsContainers(facts.options) ? [kubeProxy(facts), coreDns(facts)] : []),
  ];
}

/** The programs that such a cluster needs. */
export function neededBinaries(options: { readonly node: object | undefined; readonly pool: boolean }): BinaryName[] {
  return [
    'etcd',
    'kube-apiserver',
    'kube-controller-manager',
    'kube-scheduler',
    'kubectl',
    'registry',
    ...(options.node ? (['kubelet'] as const) : []),
    ...(runsContainers(options) ? (['kube-proxy', 'coredns', 'agnhost', 'pause'] as const) : []),
  ];
}
