export const componentNames = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'registry',
  'containerd',
  'kubelet',
  'kube-proxy',
  'coredns',
  'pool-containerd',
] as const;

export type ComponentName = (typeof componentNames)[number];
