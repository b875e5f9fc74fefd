import type { Pod } from '@spillway/kube';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Without what nobody here reads and pods applied with kubectl carry: a second copy of themselves. */
export function withoutBallast(pod: Pod): Pod {
  const annotations = pod.metadata?.annotations;
  if (annotations?.[lastApplied] === undefined) return pod;
  const { [lastApplied]: _, ...rest } = annotations;
  return { ...pod, metadata: { ...pod.metadata, annotations: rest } };
}
