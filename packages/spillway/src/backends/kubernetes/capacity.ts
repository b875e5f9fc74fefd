import {
  isForbidden,
  type KubeClient,
  type Node,
  nodes as nodeType,
  type ResourceQuota,
  resourceQuotas,
} from '@spillway/kube';
import { formatQuantity, type Nano, nanoOf } from '../../podspec/quantities.ts';
import { BackendError, type Capacity } from '../backend.ts';

/** What quotas call the same thing; the first that is there counts. */
const quotaNames = {
  cpu: ['requests.cpu', 'cpu', 'limits.cpu'],
  memory: ['requests.memory', 'memory', 'limits.memory'],
  pods: ['pods', 'count/pods'],
  'ephemeral-storage': ['requests.ephemeral-storage', 'ephemeral-storage', 'limits.ephemeral-storage'],
} as const;
type ResourceName = keyof typeof quotaNames;

/** What the namespace may have: its quota, and where it sets none, what all nodes have together. */
export function capacityOf(quotas: readonly ResourceQuota[], nodes: readonly Node[]): Capacity {
  const of = (resource: ResourceName): string =>
    formatQuantity(quotaOf(resource, quotas) ?? allocatable(resource, nodes));
  const isDiskKnown = nodes.length > 0 || quotaOf('ephemeral-storage', quotas) !== undefined;
  return {
    cpu: of('cpu'),
    memory: of('memory'),
    pods: of('pods'),
    ...(isDiskKnown && { 'ephemeral-storage': of('ephemeral-storage') }),
  };
}

function allocatable(resource: ResourceName, nodes: readonly Node[]): Nano {
  return nodes.reduce((sum, node) => sum + nanoOf(node.status?.allocatable?.[resource]), 0n);
}

/** The least of those that hold for all pods. */
function quotaOf(resource: ResourceName, quotas: readonly ResourceQuota[]): Nano | undefined {
  const limits = quotas.flatMap(({ spec }) => {
    const isForAll = spec?.scopes === undefined && spec?.scopeSelector === undefined;
    const name = isForAll ? quotaNames[resource].find((each) => spec?.hard?.[each]) : undefined;
    return name === undefined ? [] : [nanoOf(spec?.hard?.[name])];
  });
  return limits.reduce<Nano | undefined>(
    (least, each) => (least === undefined || each < least ? each : least),
    undefined,
  );
}

/** Nodes have nothing to add: what pods compete for is limited. */
export function isComplete(quotas: readonly ResourceQuota[]): boolean {
  return (['cpu', 'memory', 'pods'] as const).every((resource) => (quotaOf(resource, quotas) ?? 0n) > 0n);
}

/** @throws BackendError unauthorized when the quota does not say all of it and nodes may not be listed */
export async function readCapacity(client: KubeClient, namespace: string, signal: AbortSignal): Promise<Capacity> {
  const { items: quotas } = await client.resource(resourceQuotas).list({ namespace, signal });
  if (isComplete(quotas)) return capacityOf(quotas, []);
  try {
    return capacityOf(quotas, (await client.resource(nodeType).list({ signal })).items);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const remedy = 'Set capacity of the pool, or a ResourceQuota with cpu, memory and pods in the namespace.';
    throw new BackendError('unauthorized', error.message, { cause: error, remedy });
  }
}
