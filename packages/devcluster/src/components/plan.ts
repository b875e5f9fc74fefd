import type { BinaryName } from '../binaries/catalogue.ts';
import type { ClusterFacts, ComponentSpec } from './component.ts';
import { containerd } from './containerd.ts';
import { apiServer, controllerManager, etcd, scheduler } from './control-plane.ts';
import { kubelet, kubeProxy } from './node.ts';
import { coreDns, registry } from './services.ts';
import type { ResolvedOptions } from '../options.ts';

type Shape = Pick<ResolvedOptions, 'node' | 'pool'>;

export function runsContainers({ node, pool }: Shape): boolean {
  return node !== undefined || pool !== undefined;
}

/** Whether pods reach Services and know their names. */
export function hasServices({ node }: Pick<Shape, 'node'>): boolean {
  return node?.services ?? false;
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
    ...(node?.services ? [kubeProxy(facts, node), coreDns(facts)] : []),
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
    ...(options.node ? (['kubelet'] as const) : []),
    ...(hasServices(options) ? (['kube-proxy', 'coredns'] as const) : []),
    ...(runsContainers(options) ? (['agnhost', 'pause'] as const) : []),
  ];
}
