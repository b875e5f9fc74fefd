import { attachCluster } from '@spillway/devcluster';
import type { Deployment, Pod } from '@spillway/kube';
import { inject } from 'vitest';
import { Testbed } from './testbed.ts';
import { eventually } from './eventually.ts';
import { Kubectl } from './kubectl.ts';

export interface Product extends AsyncDisposable {
  readonly testbed: Testbed;
  readonly kubectl: Kubectl;
  /** A namespace of its own for the test file. */
  readonly namespace: string;
}

/** The shared cluster with a running `spillway serve` on containerd, and a namespace for this test file. */
export async function startProduct(namespace: string): Promise<Product> {
  const cluster = await attachCluster(inject('clusterName'));
  const testbed = await Testbed.create({ cluster, backend: 'cri' });
  await testbed.start();
  const kubectl = new Kubectl(cluster);
  // The node is Ready before somebody has signed its serving certificate.
  await eventually('the kubelet API of the node', () =>
    kubectl.run(['get', '--raw', `/api/v1/nodes/${testbed.nodeName}/proxy/healthz`]),
  );
  await kubectl.run(['create', 'namespace', namespace]);
  await eventually('the default service account', () =>
    kubectl.run(['get', 'serviceaccount', 'default', '-n', namespace]),
  );
  return {
    testbed,
    kubectl,
    namespace,
    [Symbol.asyncDispose]: async () => {
      await kubectl.run(['delete', 'namespace', namespace, '--timeout=240s']);
      await testbed.stop();
    },
  };
}

export const onVirtualNode = {
  nodeSelector: { type: 'virtual-kubelet' },
  tolerations: [{ key: 'virtual-kubelet.io/burst-to-cci', operator: 'Exists', effect: 'NoSchedule' }],
} as const;

/** A pod on the virtual node that runs `script` in a shell. */
export function shellPod(name: string, script: string, spec: Partial<Pod['spec']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      ...onVirtualNode,
      terminationGracePeriodSeconds: 5,
      containers: [{ name: 'main', image: 'busybox', imagePullPolicy: 'IfNotPresent', command: ['sh', '-c', script] }],
      ...spec,
    },
  } as Pod;
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

export async function waitReady(kubectl: Kubectl, namespace: string, name: string): Promise<Pod> {
  return eventually(`pod ${name} to be Ready`, async () => {
    const pod = await kubectl.get<Pod>(['pod', name, '-n', namespace]);
    return isReady(pod) && pod;
  });
}

export async function waitPhase(kubectl: Kubectl, namespace: string, name: string, phase: string): Promise<Pod> {
  return eventually(`pod ${name} to be ${phase}`, async () => {
    const pod = await kubectl.get<Pod>(['pod', name, '-n', namespace]);
    return pod.status?.phase === phase && pod;
  });
}

export async function waitRollout(kubectl: Kubectl, namespace: string, name: string): Promise<Deployment> {
  await kubectl.run(['rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=240s']);
  return kubectl.get<Deployment>(['deployment', name, '-n', namespace]);
}
