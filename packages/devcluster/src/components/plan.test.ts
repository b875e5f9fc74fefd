import { expect, test } from 'vitest';
import { resolveOptions, type ClusterOptions } from '../options.ts';
import { pkiPaths } from '../pki/cluster-pki.ts';
import { usualPorts } from '../network/ports.ts';
import type { ClusterFacts } from './component.ts';
import { cniConfig } from './containerd.ts';
import { kubeletConfig, reservedFor } from './node.ts';
import { neededBinaries, planComponents } from './plan.ts';

function facts(options: ClusterOptions = {}, more: Partial<ClusterFacts> = {}): ClusterFacts {
  const resolved = resolveOptions({ name: 'test', ...options });
  return {
    scope: 'spillway-test-0000',
    dir: '/c/test',
    options: resolved,
    binaries: Object.fromEntries(neededBinaries(resolved).map((name) => [name, `/bin/${name}`])),
    ownNetwork: true,
    nodeAddress: '10.201.0.2',
    ports: usualPorts,
    pki: pkiPaths('/c/test'),
    machine: { milliCpu: 8000, memoryBytes: 16 * 2 ** 30 },
    host: {
      containerd: '/usr/bin/containerd',
      runc: '/usr/sbin/runc',
      cniDir: '/usr/lib/cni',
      snapshotter: 'overlayfs',
    },
    ...more,
  };
}

function args(options: ClusterOptions, name: string, more: Partial<ClusterFacts> = {}): readonly string[] {
  return planComponents(facts(options, more)).find((component) => component.name === name)?.args ?? [];
}

const shapes: ClusterOptions[] = [
  {},
  { node: { services: false } },
  { node: { metricsServer: true } },
  { node: false },
];

test.each(shapes)('with %o every component comes after those that it waits for', (options) => {
  const names: string[] = [];
  for (const component of planComponents(facts(options))) {
    for (const need of component.after) expect(names).toContain(need);
    names.push(component.name);
  }
  expect(new Set(names).size).toBe(names.length);
});

test('a control plane alone has nothing that needs root', () => {
  const names = planComponents(facts({ node: false })).map(({ name }) => name);
  expect(names.toSorted()).toEqual(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'registry']);
  expect(neededBinaries(resolveOptions({ node: false }))).not.toContain('kubelet');
});

test('a node without Services has a network of its own, and neither kube-proxy nor a name server', () => {
  const without = facts({ node: { podCidr: '10.246.0.0/16', services: false } });
  const names = planComponents(without).map(({ name }) => name);
  expect(names).toContain('kubelet');
  for (const absent of ['kube-proxy', 'coredns'] as const) {
    expect(names).not.toContain(absent);
    expect(neededBinaries(without.options)).not.toContain(absent);
  }
  const { node } = without.options;
  const [bridge] = node ? JSON.parse(cniConfig(without, node)).plugins : [];
  expect(bridge.ipam.ranges).toEqual([[{ subnet: '10.246.0.0/16' }]]);
  expect(node && JSON.parse(kubeletConfig(without, node)).clusterDNS).toEqual([]);
});

test('metrics-server comes only for who asks for it, and believes only kubelets that the cluster has certified', () => {
  expect(neededBinaries(facts().options)).not.toContain('metrics-server');
  const flags = args({ node: { metricsServer: true } }, 'metrics-server');
  expect(flags).toContain('--kubelet-certificate-authority=/c/test/pki/ca.crt');
  expect(flags).toContain('--kubelet-use-node-status-port=true');
  expect(flags.join()).not.toContain('insecure');
});

test('connections from the pods are told from others by their networks', () => {
  expect(args({}, 'kube-proxy')).toContain('--cluster-cidr=10.244.0.0/16');
  expect(args({ node: { podCidr: '10.246.0.0/16' } }, 'kube-proxy')).toContain('--cluster-cidr=10.246.0.0/16');
});

test('without a network of its own the API server keeps to loopback and announces no endpoint', () => {
  const loopback = args({ node: false }, 'kube-apiserver', { ownNetwork: false, nodeAddress: '127.0.0.1' });
  expect(loopback).toContain('--bind-address=127.0.0.1');
  expect(loopback).toContain('--endpoint-reconciler-type=none');
  expect(loopback.join()).not.toContain('--advertise-address');
  expect(args({}, 'kube-apiserver')).toContain('--advertise-address=10.201.0.2');
});

test('the API server trusts kubelets by the cluster’s authority and the aggregation layer by another', () => {
  const flags = args({}, 'kube-apiserver');
  expect(flags).toContain('--kubelet-certificate-authority=/c/test/pki/ca.crt');
  expect(flags).toContain('--requestheader-client-ca-file=/c/test/pki/front-proxy-ca.crt');
  expect(flags).toContain('--authorization-mode=Node,RBAC');
});

test('flags of the user come last and so win; feature gates reach the Kubernetes components only', () => {
  const options: ClusterOptions = {
    extraArgs: { 'kube-controller-manager': ['--node-monitor-period=1s'] },
    featureGates: { A: true, B: false },
  };
  expect(args(options, 'kube-controller-manager').at(-1)).toBe('--node-monitor-period=1s');
  expect(args(options, 'kube-scheduler')).toContain('--feature-gates=A=true,B=false');
  expect(args(options, 'etcd').join()).not.toContain('feature-gates');
});

test('the node is as large as asked for, or as the machine', () => {
  const machine = { milliCpu: 4000, memoryBytes: 8 * 2 ** 30 };
  const { node: usual } = facts().options;
  if (usual === undefined) throw new Error('no node');
  const node = { ...usual, milliCpu: 1500, memoryBytes: 2 ** 30 };
  expect(reservedFor(node, machine)).toEqual({ milliCpu: 2500, memoryBytes: 7 * 2 ** 30 });
  expect(reservedFor({ ...node, milliCpu: 64_000 }, machine).milliCpu).toBe(0);
});

test('another network of Services is that of the API server, and has the DNS server of pods', () => {
  const options = { serviceCidr: '10.247.0.0/16' };
  const all = facts(options);
  for (const name of ['kube-apiserver', 'kube-controller-manager'] as const) {
    expect(args(options, name)).toContain('--service-cluster-ip-range=10.247.0.0/16');
  }
  const { node } = all.options;
  expect(node && JSON.parse(kubeletConfig(all, node)).clusterDNS).toEqual(['10.247.0.10']);
});

test('the kubelet’s configuration is closed to strangers and keeps to the cluster’s folder and cgroup', () => {
  const all = facts({ node: { cpu: '2', memory: '4Gi' } });
  const node = all.options.node;
  expect(node && JSON.parse(kubeletConfig(all, node))).toMatchObject({
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
    authorization: { mode: 'Webhook' },
    systemReserved: { cpu: '6000m', memory: String(12 * 2 ** 30) },
    cgroupRoot: '/spillway-test-0000/node',
    podLogsDir: '/c/test/pod-logs',
    containerRuntimeEndpoint: 'unix:///c/test/node/containerd.sock',
    clusterDNS: ['10.96.0.10'],
  });
});
