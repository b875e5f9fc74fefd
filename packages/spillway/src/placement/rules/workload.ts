import type { KubeObject, Pod, PodTemplateSpec } from '@spillway/kube';
import { burstLabelOf } from '../../podspec/contract.ts';
import { asPod, at } from './admitted.ts';
import { templatePaths } from './rules.ts';

/** The pod itself, or the one that a workload makes. */
export function podOf(object: KubeObject): Pod | undefined {
  if (object.kind === 'Pod') return asPod(object);
  const path = templatePaths.get(object.kind ?? '');
  if (path === undefined) return undefined;
  const { metadata = {}, spec } = at<PodTemplateSpec>(object, path) ?? {};
  // Without a copy, e.g. in a Job from before: the workload's own label stands for it.
  const labels =
    burstLabelOf(metadata.labels).kind === 'absent'
      ? { ...object.metadata?.labels, ...metadata.labels }
      : metadata.labels;
  return {
    kind: 'Pod',
    metadata: { ...metadata, namespace: object.metadata?.namespace ?? '', ...(labels ? { labels } : {}) },
    ...(spec ? { spec } : {}),
  };
}

/** How many pods the workload has at a time. */
export function replicasOf(object: KubeObject): number {
  const path = templatePaths.get(object.kind ?? '')?.slice(0, -1) ?? ['spec'];
  const { replicas, parallelism } = at<{ replicas?: number; parallelism?: number }>(object, path) ?? {};
  return replicas ?? parallelism ?? 1;
}
