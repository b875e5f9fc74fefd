/** One pod event, with the kubelet's reasons where the kubelet has one. */
export interface Notice {
  readonly severity: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** `spec.containers{name}` or `spec.initContainers{name}`; absent: the whole pod. */
  readonly fieldPath?: string;
  /** Who says it, as the event's source; absent: Spillway. */
  readonly component?: string;
}
