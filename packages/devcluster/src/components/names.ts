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
  'metrics-server',
] as const;

export type ComponentName = (typeof componentNames)[number];
