import type { Deployment, MutatingWebhookConfiguration, Node, Pod } from '@spillway/kube';
import type { AddOn } from '../add-on.ts';

// What the vendor's add-on has in a cluster, with the names and marks of version 1.5.

export const addOnNode: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'bursting-node',
    labels: {
      type: 'virtual-kubelet',
      'bursting.cci.io/node-type': 'virtual-kubelet',
      'kubernetes.io/hostname': 'bursting-node',
    },
  },
  spec: { taints: [{ key: 'virtual-kubelet.io/huawei', effect: 'PreferNoSchedule' }] },
};

export const addOnProvider: Deployment = addOnDeployment('virtual-kubelet');

export function addOnDeployment(part: 'virtual-kubelet' | 'resource-syncer' | 'webhook'): Deployment {
  const labels = { app: part === 'virtual-kubelet' ? 'bursting-cceaddon-vk' : `bursting-cceaddon-${part}` };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'kube-system', name: `cceaddon-virtual-kubelet-${part}`, labels },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'add-on:1.5.82' }] } },
    },
  };
}

/** Its failure is ignored here, because nobody answers for it. */
export const addOnWebhook: MutatingWebhookConfiguration = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: 'cceaddon-virtual-kubelet-webhook' },
  webhooks: [
    {
      name: 'virtual-kubelet-webhook.cci.io',
      clientConfig: { service: { namespace: 'kube-system', name: 'cceaddon-virtual-kubelet-webhook', path: '/' } },
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
      namespaceSelector: { matchLabels: { 'stand-in': 'none' } },
      failurePolicy: 'Ignore',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    },
  ],
};

export const noAddOn: AddOn = {
  deployments: [],
  webhooks: [],
  nodes: [],
  pods: [],
  workloads: [],
  definitions: [],
  profiles: [],
  extensions: [],
};

/** A pod of a controller; ready on the add-on's node unless said otherwise. */
export function addOnPod(
  name: string,
  {
    owner = { kind: 'ReplicaSet', name: 'web-1a' },
    nodeName = 'bursting-node',
    ready = true,
    ...more
  }: {
    readonly owner?: { readonly kind: string; readonly name: string } | null;
    readonly nodeName?: string;
    readonly ready?: boolean;
    readonly deleting?: boolean;
    readonly phase?: string;
    readonly message?: string;
  } = {},
): Pod {
  const { deleting = false, phase = 'Running', message } = more;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'shop',
      name,
      uid: `uid-${name}`,
      labels: { 'pod-template-hash': '1a' },
      ...(deleting && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      ...(owner !== null && {
        ownerReferences: [{ apiVersion: 'apps/v1', ...owner, uid: `uid-${owner.name}`, controller: true }],
      }),
    },
    spec: { containers: [], ...(nodeName !== '' && { nodeName }) },
    status: {
      phase,
      conditions: [
        { type: 'Ready', status: ready ? 'True' : 'False' },
        ...(message === undefined ? [] : [{ type: 'PodScheduled', status: 'False', message }]),
      ],
    },
  };
}
