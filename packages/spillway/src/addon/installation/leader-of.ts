import type { Lease } from '@spillway/kube';

/** Of a lease, the pod that holds it: a process names itself by its host, which is the pod. */
export function leaderOf(lease: Lease | undefined): string | undefined {
  const holder = lease?.spec?.holderIdentity ?? '';
  return holder === '' ? undefined : holder.slice(0, holder.lastIndexOf('_'));
}
