import type { Pod, PodCondition, PodStatus } from '@spillway/kube';
import { isTerminalPhase, statusShowsItRan } from '../../podspec/pod-facts.ts';
import { transientConditions } from './transient-conditions.ts';
import type { Annotations } from '../../podspec/sizing/shown.ts';

/** Fields that are written whole; without a value they are cleared. */
const plainFields = ['observedGeneration', 'phase', 'reason', 'message', 'hostIP', 'podIP', 'startTime'] as const;
const wholeLists = ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses'] as const;
const addressLists = ['hostIPs', 'podIPs'] as const;

export interface StatusPatch {
  readonly metadata: {
    readonly uid: string;
    /** Only where the phase changes. */
    readonly resourceVersion?: string;
    readonly annotations?: Annotations;
  };
  readonly status: Readonly<Record<string, unknown>>;
}

/**
 * The strategic merge patch of `pods/status` that brings the live status to the wanted one; undefined when it is there.
 * Only fields and conditions of `wanted` are touched. The UID in it makes the API server refuse the patch (422) when
 * the pod was replaced by another of the same name.
 *
 * @param annotations what the pod should be annotated with besides
 *
 * A pod that has ended is never brought back, nor is its end judged anew: the API server would take both. So a patch that
 * changes the phase holds only for the version that was looked at (409 otherwise): somebody else may have ended the pod since.
 */
export function statusPatch(live: Pod, wanted: PodStatus, annotations: Annotations = {}): StatusPatch | undefined {
  const current = live.status ?? {};
  if (isTerminalPhase(current.phase) && wanted.phase !== current.phase) return undefined;
  const patch: Record<string, unknown> = {};
  for (const field of plainFields) {
    if (!same(current[field], wanted[field])) patch[field] = wanted[field] ?? null;
  }
  for (const field of wholeLists) {
    if (!same(current[field], wanted[field])) patch[field] = wanted[field] ?? null;
  }
  for (const field of addressLists) {
    // These lists merge by address, so an old one would stay.
    if (!same(current[field], wanted[field])) patch[field] = [{ $patch: 'replace' }, ...(wanted[field] ?? [])];
  }
  const conditions = changedConditions(current.conditions ?? [], wanted.conditions ?? []);
  if (conditions.length > 0) patch['conditions'] = conditions;
  const changed = changedAnnotations(live, annotations);
  if (Object.keys(patch).length === 0 && changed === undefined) return undefined;
  const { uid = '', resourceVersion } = live.metadata ?? {};
  const version = 'phase' in patch && resourceVersion !== undefined ? { resourceVersion } : {};
  return { metadata: { uid, ...version, ...(changed && { annotations: changed }) }, status: patch };
}

/** What they say of a pod that runs was true when it was started, and stays true whatever its specification says since. */
function changedAnnotations(live: Pod, wanted: Annotations): Annotations | undefined {
  const current = live.metadata?.annotations ?? {};
  const ran = statusShowsItRan(live);
  const changed = Object.entries(wanted).filter(
    ([name, value]) => current[name] !== value && !(ran && current[name] !== undefined),
  );
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

/** They merge by type. A condition whose reason or message is gone needs that said. */
function changedConditions(current: readonly PodCondition[], wanted: readonly PodCondition[]): object[] {
  const over = current.filter(
    ({ type }) => transientConditions.has(type) && !wanted.some((condition) => condition.type === type),
  );
  const changed = wanted.flatMap((condition) => {
    const known = current.find(({ type }) => type === condition.type);
    if (known !== undefined && same(known, condition, 'lastProbeTime')) return [];
    return [
      {
        ...condition,
        ...(known?.reason && !condition.reason ? { reason: null } : {}),
        ...(known?.message && !condition.message ? { message: null } : {}),
      },
    ];
  });
  return [...changed, ...over.map(({ type }) => ({ $patch: 'delete', type }))];
}

/**
 * Equal as the API sees it: a field that is empty is the same as one that is not there. Compared for every pod at every
 * step, so it makes nothing anew.
 *
 * @param ignored a field of `a` itself that does not count
 */
export function same(a: unknown, b: unknown, ignored?: string): boolean {
  if (a === b || (isEmpty(a) && isEmpty(b))) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => same(item, b[index]))
    );
  }
  for (const key of Object.keys(a)) if (!same(key === ignored ? undefined : a[key], b[key])) return false;
  for (const key of Object.keys(b)) if ((key === ignored || !Object.hasOwn(a, key)) && !isEmpty(b[key])) return false;
  return true;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return isObject(value) && Object.values(value).every(isEmpty);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
