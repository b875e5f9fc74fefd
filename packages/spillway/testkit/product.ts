import type { Cluster } from '@spillway/devcluster';
import type { Deployment, Pod } from '@spillway/kube';
import { expect, inject } from 'vitest';
import { eventually, eventuallyHolds } from './eventually.ts';
import { Kubectl } from './kubectl.ts';
import { attachPair } from './pair.ts';
import { nothing, residue } from './residue.ts';
import { Testbed } from './testbed.ts';

export interface Product extends AsyncDisposable {
  readonly testbed: Testbed;
  readonly kubectl: Kubectl;
  /** Where the pods of the virtual node run. */
  readonly there: Cluster;
  /** A namespace of its own for the test file. */
  readonly namespace: string;
}

/** What all product tests share, and a namespace for this test file. At its end nothing of it may be left in the other cluster. */
export async function startProduct(namespace: string): Promise<Product> {
  const { here, there } = await attachPair(inject('pair'));
  const testbed = await Testbed.attach(here);
  if (!(await testbed.isServing())) await testbed.start();
  const kubectl = new Kubectl(here);
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
    there,
    namespace,
    [Symbol.asyncDispose]: async () => {
      await kubectl.run(['delete', 'namespace', namespace, '--timeout=240s']);
      await nothingIsLeft(there);
    },
  };
}

/** Copies go after the pods that used them. */
export async function nothingIsLeft(there: Cluster): Promise<void> {
  await eventuallyHolds(async () => expect(await residue(there)).toEqual(nothing));
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
      terminationGracePeriodSeconds: 1,
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
