import type { Pod } from '@spillway/kube';
import { BackendError } from '../../backend.ts';

/** The other cluster has decided where the pod runs, or that it does not run any more. */
export function hasPlace({ metadata, spec, status }: Pod): boolean {
  return (
    Boolean(spec?.nodeName) ||
    metadata?.deletionTimestamp !== undefined ||
    (status?.phase ?? 'Pending') !== 'Pending' ||
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].length > 0
  );
}

/** For a pod that was waited for in vain, with what the other cluster says about it. */
export function soldOut({ status }: Pod, waitedMs: number): BackendError {
  const said = status?.conditions?.find(({ type, status: value }) => type === 'PodScheduled' && value === 'False');
  const why = said?.message ? `: ${said.message}` : '';
  const message = `the other cluster did not place the pod within ${Math.round(waitedMs / 1000)} s${why}`;
  return new BackendError('soldOut', message);
}
