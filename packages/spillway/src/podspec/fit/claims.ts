import type { Node, Pod } from '@spillway/kube';
import { type ClaimSources, claimStateOf, claimVolumes } from '../claims.ts';
import { type Problem, type Refusal, refusal } from '../review/refusal.ts';
import { matchesAnyTerm } from './node-match.ts';
import type { Support } from './support.ts';

/**
 * Why a pool cannot mount the claims of a pod.
 *
 * @param sources undefined: nothing is known of them but their names
 */
export function claimRefusals(pod: Pod, support: Support, sources?: ClaimSources): Refusal[] {
  const namespace = pod.metadata?.namespace ?? '';
  // What becomes of those that are made with the pod, the fields of their volumes say.
  const claims = claimVolumes(pod).filter(({ ephemeral }) => !ephemeral);
  return claims.flatMap(({ name, field }) => {
    const key = `${namespace}/${name}`;
    if (support.claims?.has(key) === false) return [refusal('claim-not-mapped', field, key)];
    const objection = support.claimObjection?.({ namespace, name }, sources && claimStateOf(namespace, name, sources));
    return objection === undefined ? [] : [refusal(objection.code, field, objection.detail)];
  });
}

/** Why the claims of the pod keep it from the node. A claim has to be bound to a volume that the node can reach. */
export function claimProblem(pod: Pod, node: Node, sources: ClaimSources): Problem | undefined {
  const namespace = pod.metadata?.namespace ?? '';
  for (const { name, field } of claimVolumes(pod)) {
    const state = claimStateOf(namespace, name, sources);
    if (state.kind === 'unbound') return { field, message: state.message, remedy: state.remedy };
    const required = state.kind === 'bound' ? state.volume.spec?.nodeAffinity?.required : undefined;
    if (state.kind === 'bound' && required && !matchesAnyTerm(required.nodeSelectorTerms, node)) {
      return {
        field,
        message: `the PersistentVolume "${state.volume.metadata?.name}" of the claim "${name}" can be reached from other nodes only`,
        remedy: 'Use a volume that is not tied to nodes or zones.',
      };
    }
  }
  return undefined;
}
