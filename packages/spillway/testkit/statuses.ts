import type { ContainerState, Pod } from '@spillway/kube';

/** Which container a pod of one container has: another start would have another id, a restart another count. */
export function containerOf({ status }: Pod): { readonly id: string; readonly restarts: number } | undefined {
  const [only] = status?.containerStatuses ?? [];
  return only?.containerID === undefined ? undefined : { id: only.containerID, restarts: only.restartCount };
}

export function terminatedOf({ status }: Pod): ContainerState['terminated'] {
  return status?.containerStatuses?.[0]?.state?.terminated;
}
