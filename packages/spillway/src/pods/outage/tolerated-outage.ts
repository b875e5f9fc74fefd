import type { JsonPatchOperation, Pod, Toleration } from '@spillway/kube';

/**
 * How long pods tolerate the taints that a node gets while nobody renews its lease: `tolerationSeconds` by taint key, as the
 * API server writes it into every pod that says nothing about the taint (admission plugin DefaultTolerationSeconds).
 */
export type DefaultTolerationSeconds = ReadonlyMap<string, number>;

export const outageTaintKeys = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const;

/** What the API server writes unless its flags say otherwise. */
export const usualTolerationSeconds: DefaultTolerationSeconds = new Map(outageTaintKeys.map((key) => [key, 300]));

/**
 * What lets the pod outlive an outage of Spillway: its instance goes on running then, and an eviction would throw it away. The
 * limit of a default toleration is removed; another one was chosen by the pod's author and stays. Appending a toleration
 * without a limit would not do, the first match counts. Undefined when there is nothing to remove.
 */
export function unlimitedTolerations(pod: Pod, defaults: DefaultTolerationSeconds): JsonPatchOperation[] | undefined {
  const { uid, deletionTimestamp } = pod.metadata ?? {};
  if (deletionTimestamp !== undefined) return undefined;
  const operations = (pod.spec?.tolerations ?? []).flatMap((toleration, index): JsonPatchOperation[] => {
    if (toleration.tolerationSeconds !== defaultSeconds(toleration, defaults)) return [];
    const path = `/spec/tolerations/${index}`;
    return [
      // The list may have grown since.
      { op: 'test', path, value: toleration },
      { op: 'remove', path: `${path}/tolerationSeconds` },
    ];
  });
  return operations.length === 0 ? undefined : [{ op: 'test', path: '/metadata/uid', value: uid }, ...operations];
}

/** Those that a pod got which said nothing. */
export function defaultsOf(pod: Pod): DefaultTolerationSeconds {
  const tolerations = pod.spec?.tolerations ?? [];
  return new Map(
    tolerations.flatMap(({ key, tolerationSeconds }) =>
      key !== undefined && tolerationSeconds !== undefined && isOutageTaint(key) ? [[key, tolerationSeconds]] : [],
    ),
  );
}

function defaultSeconds({ key = '', operator, effect }: Toleration, defaults: DefaultTolerationSeconds): number | null {
  const isLikeADefault = operator === 'Exists' && effect === 'NoExecute';
  return (isLikeADefault ? defaults.get(key) : undefined) ?? null;
}

function isOutageTaint(key: string): boolean {
  return outageTaintKeys.some((taint) => taint === key);
}
