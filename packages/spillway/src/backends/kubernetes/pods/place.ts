import type { Pod } from '@spillway/kube';

/** Why the other cluster has not decided yet where the pod runs, as far as it says; undefined: it has, or the pod does not wait. */
export function whyUnplaced({ spec, status }: Pod): string | undefined {
  const { phase = 'Pending', initContainerStatuses, containerStatuses, conditions } = status ?? {};
  const isKnownToNode = [initContainerStatuses, containerStatuses].some((list) => (list?.length ?? 0) > 0);
  if (spec?.nodeName || phase !== 'Pending' || isKnownToNode) return undefined;
  const said = Array.isArray(conditions) ? conditions.find((each) => each?.type === 'PodScheduled') : undefined;
  return (said?.status === 'False' && said.message) || '';
}
