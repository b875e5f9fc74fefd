import {
  isForbidden,
  type KubeClient,
  type Node,
  nodes as nodeType,
  type ResourceQuota,
  resourceQuotas,
} from '@spillway/kube';
import { formatQuantity, nanoOf } from '../../podspec/quantities.ts';
import { BackendError, type Capacity } from '../backend.ts';

/** What quotas call the same thing; the first that is there counts. */
const quotaNames = {
  cpu: ['requests.cpu', 'cpu', 'limits.cpu'],
  memory: ['requests.memory', 'memory', 'limits.memory'],
  pods: ['pods', 'count/pods'],
} as const;

/** What the namespace may have: its quota, and where it sets none, what all nodes have together. */
export function capacityOf(quotas: readonly ResourceQuota[], nodes: readonly Node[]): Capacity {
  const of = (resource: keyof typeof quotaNames): string => {
    const limits = quotas.flatMap(({ spec }) => {
      const name =
        spec?.scopes || spec?.scopeSelector ? undefined : quotaNames[resource].find((each) => spec?.hard?.[each]);
      return name === undefined ? [] : [nanoOf(spec?.hard?.[name])];
    });
    const [first, ...others] = limits;
    if (first !== undefined)
      return formatQuantity(others.reduce((least, each) => (each < least ? each : least), first));
    return formatQuantity(nodes.reduce((sum, node) => sum + nanoOf(node.status?.allocatable?.[resource]), 0n));
  };
  return { cpu: of('cpu'), memory: of('memory'), pods: of('pods') };
}

export function isComplete(quotas: readonly ResourceQuota[]): boolean {
  const { cpu, memory, pods } = capacityOf(quotas, []);
  return [cpu, memory, pods].every((each) => nanoOf(each) > 0n);
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
