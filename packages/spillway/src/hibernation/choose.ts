import { controllerOf, namespaceOf, type Node, type Pod, uidOf } from '@spillway/kube';
import { isPlaceholder } from '../removal/owners.ts';
import type { ScheduleProfile } from '../placement/rules/schedule-profile.ts';
import { isTerminalPhase } from '../podspec/pod-facts.ts';
import { isOfDeployment, isWhole, type Workload, type WorkloadObject, workloadOf } from './workload.ts';

/** What was read of a cluster. */
export interface Facts {
  readonly objects: readonly WorkloadObject[];
  /** UIDs of those that a selector has chosen, pods as well. Absent: all are. */
  readonly selected: ReadonlySet<string> | undefined;
  readonly profiles: readonly ScheduleProfile[];
  /** Keys of the taints of the pools. */
  readonly taintKeys: ReadonlySet<string>;
  /** Virtual nodes of the pools that are there. */
  readonly nodes: readonly Node[];
  /** On these. */
  readonly pods: readonly Pod[];
}

export interface Chosen {
  /** Those that burst, may burst or hibernate. */
  readonly workloads: readonly Workload[];
  /** Pods on virtual nodes that none of them has made. */
  readonly strays: readonly Pod[];
}

export function choose({ objects, selected, profiles, taintKeys, pods }: Facts): Chosen {
  const running = pods.filter((pod) => !isPlaceholder(pod) && !isTerminalPhase(pod.status?.phase));
  const deploymentOf = new Map(
    objects.filter(isOfDeployment).map((object) => [uidOf(object), controllerOf(object)?.uid ?? '']),
  );
  const makerOf = (pod: Pod): string => {
    const uid = controllerOf(pod)?.uid ?? '';
    return deploymentOf.get(uid) ?? uid;
  };
  const made = Map.groupBy(running, makerOf);
  const isSelected = (object: WorkloadObject): boolean =>
    selected === undefined ||
    selected.has(uidOf(object)) ||
    (object.kind === 'Job' && selected.has(controllerOf(object)?.uid ?? ''));
  const whole = objects.filter(isWhole);
  const workloads = whole
    .filter(isSelected)
    .map((object) => workloadOf(object, { profiles, taintKeys, podsOf: (uid) => made.get(uid) ?? [] }))
    .filter(({ burst, record }) => burst !== undefined || record !== undefined)
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const known = new Set(whole.map(uidOf));
  const strays = running.filter(
    (pod) => !known.has(makerOf(pod)) && (selected === undefined || selected.has(uidOf(pod))),
  );
  return { workloads, strays };
}

/** For people, and unique in a cluster. */
export const keyOf = ({ namespace, kind, name }: Pick<Workload, 'namespace' | 'kind' | 'name'>): string =>
  `${kind} ${namespace}/${name}`;

/** What is to become of a pod that no workload of ours has made. */
export type StrayFate =
  /** Its owner makes another one. */
  { readonly kind: 'end' } | { readonly kind: 'stay'; readonly why: string; readonly remedy: string };

/**
 * @param moves owners are to make their pods again, elsewhere
 * @param asked somebody wants it to end, whatever becomes of it
 */
export function fateOf(pod: Pod, { moves, asked }: { readonly moves: boolean; readonly asked: boolean }): StrayFate {
  const owner = controllerOf(pod);
  if (asked || (moves && owner !== undefined)) return { kind: 'end' };
  return {
    kind: 'stay',
    why:
      owner === undefined
        ? 'it has no owner that would create it again'
        : `its owner, ${owner.kind} ${owner.name}, is no workload that Spillway scales`,
    remedy:
      owner === undefined
        ? 'Delete it, or add --delete-pods'
        : `Scale ${owner.kind} ${owner.name} in ${namespaceOf(pod)} down, or add --delete-pods`,
  };
}
