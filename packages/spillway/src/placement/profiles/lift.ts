import { isDeepStrictEqual } from 'node:util';
import type { NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Toleration } from '@spillway/kube';
import {
  type BurstValue,
  burstTaint,
  deletionCostAnnotation,
  managedByProfileAnnotation,
  nodeTypeLabel,
  preferTaint,
  profileGate,
  profileSideAnnotation,
  virtualNodeType,
} from '../../podspec/contract.ts';
import { tolerates } from '../../podspec/fit/node-match.ts';
import { nodeTypesOf, type ScheduleProfile } from '../rules/schedule-profile.ts';
import { deletionCostToWrite, mayLeave, type Side } from './side.ts';

export interface Place {
  readonly side: Side;
  readonly profile: ScheduleProfile;
  readonly strategy: BurstValue;
  /** Nodes of pools that do not run the pod as it is. */
  readonly closed: readonly string[];
}

/**
 * The strategic merge patch that lifts the profile's gate of exactly this version of a pod, and with it, in one write, keeps
 * the pod to its side and says which that is. Without a place: there is no limit for this pod (any more).
 */
export function liftPatch(pod: Pod, place: Place | undefined): object {
  const { uid, resourceVersion } = pod.metadata ?? {};
  const gate = { schedulingGates: [{ $patch: 'delete', name: profileGate }] };
  if (place === undefined) return { metadata: { uid, resourceVersion }, spec: gate };
  const { side, profile, strategy, closed } = place;
  const stays = !mayLeave(strategy, profile.spec.location);
  return {
    metadata: { uid, resourceVersion, annotations: annotationsOf(pod, side, profile) },
    spec: {
      ...gate,
      ...(side === 'cci' ? burstFields(pod.spec, nodeTypesOf(profile), closed) : stays ? localFields(pod.spec) : {}),
    },
  };
}

function annotationsOf(pod: Pod, side: Side, { metadata, spec }: ScheduleProfile): object {
  const cost = deletionCostToWrite(pod, side, spec.location);
  return {
    [managedByProfileAnnotation]: metadata?.name,
    [profileSideAnnotation]: side,
    ...(cost === undefined ? {} : { [deletionCostAnnotation]: cost }),
  };
}

function localFields(spec: PodSpec | undefined): object {
  return requiring(spec, [{ key: virtualNodeType.key, operator: 'NotIn', values: [virtualNodeType.value] }]);
}

/** Affinity of a gated pod may only be tightened, in every term. A term without requirements matches nothing and stays so. */
function requiring(spec: PodSpec | undefined, requirements: readonly NodeSelectorRequirement[]): object {
  if (requirements.length === 0) return {};
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const tightened = (term: NodeSelectorTerm): NodeSelectorTerm => {
    const { matchExpressions = [], matchFields = [] } = term;
    if (matchExpressions.length + matchFields.length === 0) return term;
    const missing = requirements.filter((one) => !matchExpressions.some((each) => isDeepStrictEqual(each, one)));
    return missing.length === 0 ? term : { ...term, matchExpressions: [...matchExpressions, ...missing] };
  };
  const nodeSelectorTerms = required?.nodeSelectorTerms.map(tightened) ?? [{ matchExpressions: [...requirements] }];
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } };
}

/** A node selector that the pod has may not be changed; a pod that selects other nodes stays as it is. */
function burstFields(spec: PodSpec | undefined, types: readonly string[], closed: readonly string[]): object {
  const requirements = [
    ...(types.length === 0 ? [] : [{ key: nodeTypeLabel, operator: 'In', values: [...types] }]),
    ...(closed.length === 0 ? [] : [{ key: 'kubernetes.io/hostname', operator: 'NotIn', values: [...closed] }]),
  ];
  const selects = spec?.nodeSelector?.[virtualNodeType.key] !== undefined;
  return {
    ...(selects ? {} : { nodeSelector: { [virtualNodeType.key]: virtualNodeType.value } }),
    ...requiring(spec, requirements),
    tolerations: withBurstTolerations(spec?.tolerations ?? []),
  };
}

/** What the pod tolerates and the taints of virtual nodes; the list of the API is replaced as a whole. */
export function withBurstTolerations(tolerations: readonly Toleration[]): readonly Toleration[] {
  const missing = [burstTaint, preferTaint].filter((taint) => !tolerations.some((each) => tolerates(each, taint)));
  return [...tolerations, ...missing.map(({ key, effect }) => ({ key, operator: 'Exists', effect }))];
}
