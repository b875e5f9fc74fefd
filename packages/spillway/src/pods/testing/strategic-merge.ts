import type { Pod } from '@spillway/kube';
import type { StatusPatch } from '../status/status-patch.ts';

/** What the API server makes of a strategic merge patch of `pods/status`. */
export function mergeStatus(pod: Pod, patch: StatusPatch): Pod {
  const status: Record<string, unknown> = { ...pod.status };
  for (const [field, value] of Object.entries(patch.status)) {
    if (value === null) delete status[field];
    else if (field === 'conditions') status[field] = mergeByKey(status[field], value, 'type');
    else if (field === 'podIPs' || field === 'hostIPs') status[field] = mergeByKey(status[field], value, 'ip');
    else status[field] = value;
  }
  const annotations = { ...pod.metadata?.annotations, ...patch.metadata.annotations };
  return { ...pod, metadata: { ...pod.metadata, annotations }, status };
}

function mergeByKey(current: unknown, change: unknown, key: string): unknown[] {
  const merged = new Map<unknown, object>();
  const changes = objects(change);
  if (!changes.some((entry) => Reflect.get(entry, '$patch') === 'replace')) {
    for (const entry of objects(current)) merged.set(Reflect.get(entry, key), entry);
  }
  for (const entry of changes) {
    if ('$patch' in entry) {
      merged.delete(Reflect.get(entry, key));
      continue;
    }
    const result = Object.entries({ ...merged.get(Reflect.get(entry, key)), ...entry });
    merged.set(Reflect.get(entry, key), Object.fromEntries(result.filter(([, value]) => value !== null)));
  }
  return [...merged.values()];
}

function objects(value: unknown): readonly object[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'object' && entry !== null) : [];
}
