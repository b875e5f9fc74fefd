import type { JsonPatchOperation, Pod } from '@spillway/kube';
import { burstLabelOf, burstTaint } from '../../podspec/contract.ts';
import type { PoolFit } from '../../podspec/fit/fit.ts';
import { untoleratedTaints } from '../../podspec/fit/node-match.ts';
import { actionPatch, keepFromNodes } from './actions.ts';
import { asPod } from './admitted.ts';
import { holds } from './conditions.ts';
import { applyPatch } from './json-patch.ts';
import { eligible } from './rules.ts';

/**
 * What decides whether a scheduler that knows nothing of pools may choose a virtual node. A pod with `auto` gets the toleration
 * when a pool runs it, and every pod that tolerates the taints of a pool which refuses it is kept from that pool's node. Pods
 * with `enforce` have a scheduler that asks the pools itself.
 *
 * @param pod as the rules leave it
 * @param fits what each pool says of it
 */
export function letIn(pod: Pod, fits: readonly PoolFit[]): readonly JsonPatchOperation[] {
  const subject = { operation: 'CREATE', object: pod } as const;
  const label = burstLabelOf(pod.metadata?.labels);
  const value = label.kind === 'valid' ? label.value : undefined;
  if (value === 'enforce' || value === 'off' || !eligible.every((condition) => holds(condition, subject))) return [];
  const taken = fits.some(({ fit }) => fit.kind !== 'refused' && fit.kind !== 'selector');
  const entrance = value === 'auto' && taken ? actionPatch({ type: 'tolerate', taints: [burstTaint] }, pod) : [];
  const { tolerations = [] } = asPod(applyPatch(pod, entrance)).spec ?? {};
  const closed = fits.filter(
    ({ pool, fit }) => fit.kind === 'refused' && untoleratedTaints(tolerations, pool.taints).length === 0,
  );
  if (closed.length === 0) return entrance;
  const names = closed.map(({ pool }) => pool.nodeName);
  return [...entrance, ...keepFromNodes(pod, 'kubernetes.io/hostname', names)];
}
