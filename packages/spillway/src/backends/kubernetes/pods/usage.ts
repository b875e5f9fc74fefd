import { ApiError, type KubeClient, type KubeObject, type ResourceType } from '@spillway/kube';
import { parseQuantity } from '../../../podspec/quantities.ts';
import { BackendError, type ContainerUsage, type InstanceUsage, type Owner } from '../../backend.ts';
import type { Dialect } from '../dialect.ts';
import { reading } from '../lanes.ts';
import type { Instances } from './instances.ts';
import { markedRef, podSelector } from './marks.ts';

/** As metrics-server tells what a pod uses. */
export interface PodMetrics extends KubeObject {
  timestamp?: string;
  /** A duration of Go. */
  window?: string;
  containers?: { name?: string; usage?: Record<string, string> }[];
}

const podMetrics: ResourceType<PodMetrics> = {
  apiVersion: 'metrics.k8s.io/v1beta1',
  kind: 'PodMetrics',
  plural: 'pods',
  namespaced: true,
};

export interface UsageContext {
  readonly client: KubeClient;
  readonly dialect: Dialect;
  readonly namespace: string;
  readonly owner: Owner;
  readonly instances: Pick<Instances, 'named' | 'lastSeen'>;
}

/** What our pods use, as the metrics API of the other cluster tells it. */
export async function readUsage(
  { client, dialect, namespace, owner, instances }: UsageContext,
  signal: AbortSignal,
): Promise<InstanceUsage[]> {
  if (dialect.noMetrics !== undefined) {
    const remedy = 'To scale these pods automatically, use metrics of their own.';
    throw new BackendError('unavailable', dialect.noMetrics, { reason: 'NoMetricsAPI', remedy });
  }
  const found: InstanceUsage[] = [];
  const call = { namespace, labelSelector: podSelector(owner), signal, lane: reading, retry: false };
  try {
    for await (const { items } of client.resource(podMetrics).pages(call)) {
      for (const item of items) {
        const pod = instances.named(item.metadata?.name ?? '');
        const uid = pod && markedRef(pod, owner)?.uid;
        // Another pod with the same UID is none of ours to tell.
        if (uid === undefined || instances.lastSeen(uid) !== pod) continue;
        found.push(...usageOf(uid, item));
      }
    }
  } catch (error) {
    throw explained(error, dialect);
  }
  return found;
}

/** A missing metrics API is no missing namespace, and a missing right is one that pods do without. */
function explained(error: unknown, dialect: Dialect): unknown {
  const { name } = dialect;
  if (!(error instanceof ApiError) || dialect.errorOf(error)?.reason !== undefined) return error;
  switch (error.kind) {
    case 'notFound':
      return new BackendError('unavailable', `${name}: the cluster has no metrics API (metrics.k8s.io)`, {
        cause: error,
        reason: 'NoMetricsAPI',
        remedy: 'Install metrics-server in the cluster where the pods run.',
      });
    case 'forbidden':
      return new BackendError('unauthorized', `${name}: could not read what pods use: ${error.message}`, {
        cause: error,
        reason: 'MetricsForbidden',
        remedy: 'Grant the account of the pool the right to list pods in the API group metrics.k8s.io.',
      });
    default:
      return error;
  }
}

/** Nothing when the item does not say when it was measured. */
export function usageOf(uid: string, { timestamp, window, containers }: PodMetrics): InstanceUsage[] {
  const atMs = Date.parse(timestamp ?? '');
  const windowMs = durationMs(window ?? '');
  if (Number.isNaN(atMs) || windowMs === undefined || !Array.isArray(containers)) return [];
  return [{ uid, atMs, windowMs, containers: containers.flatMap(containerUsage) }];
}

function containerUsage({ name, usage }: NonNullable<PodMetrics['containers']>[number]): ContainerUsage[] {
  if (name === undefined) return [];
  const cores = valueOf(usage?.['cpu']);
  const memoryBytes = valueOf(usage?.['memory']);
  return [{ name, ...(cores !== undefined && { cores }), ...(memoryBytes !== undefined && { memoryBytes }) }];
}

function valueOf(quantity: string | undefined): number | undefined {
  const parsed = quantity === undefined ? undefined : parseQuantity(quantity);
  return parsed?.ok ? Number(parsed.nano) / 1e9 : undefined;
}

const unitsMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** `15.023s`, `1m0.5s`. Undefined when it is no such duration. */
export function durationMs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(h|m|s|ms|us|µs|ns))+$/.test(text)) return undefined;
  const parts = Array.from(text.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)/g));
  return parts.reduce((all, [, number, unit = '']) => all + Number(number) * (unitsMs[unit] ?? 0), 0);
}
