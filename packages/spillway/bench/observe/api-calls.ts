import type { Cluster } from '@spillway/devcluster';
import { kubectl } from '../contestants/contestant.ts';
import { parseMetrics } from './prometheus.ts';

/** Finished requests by what they were, such as `PATCH pods/status`. */
export type ApiCalls = ReadonlyMap<string, number>;

/** What agents of a node have to do with pods. */
const resources = new Set(['pods', 'events']);

export async function apiCallsOf(cluster: Cluster): Promise<ApiCalls> {
  return apiCalls(await kubectl(cluster, ['get', '--raw', '/metrics']));
}

/** Requests about pods and events that the API server has answered so far, from its `/metrics` page. Watches do not count. */
export function apiCalls(page: string): ApiCalls {
  const calls = new Map<string, number>();
  for (const { labels, value } of parseMetrics(page, 'apiserver_request_total')) {
    const { verb = '', resource = '', subresource = '' } = labels;
    if (!resources.has(resource) || verb === 'WATCH') continue;
    const key = `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`;
    calls.set(key, (calls.get(key) ?? 0) + value);
  }
  return calls;
}

export function callsBetween(before: ApiCalls, after: ApiCalls): Record<string, number> {
  const changed = Array.from(after, ([key, count]): [string, number] => [key, count - (before.get(key) ?? 0)]);
  return Object.fromEntries(changed.filter(([, count]) => count > 0));
}

/** Calls for each of `pods` pods between two looks, without those of the load generator: it lists once, and creates and deletes each. */
export function callsPerPod(before: ApiCalls, after: ApiCalls, pods: number): Record<string, number> {
  const own: Readonly<Record<string, number>> = { 'POST pods': pods, 'DELETE pods': pods, 'LIST pods': 1 };
  const made = Object.entries(callsBetween(before, after)).map(([key, count]): [string, number] => [
    key,
    (count - (own[key] ?? 0)) / pods,
  ]);
  return Object.fromEntries(made.filter(([, count]) => count > 0));
}
