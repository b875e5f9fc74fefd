import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod, Taint, Toleration } from '@spillway/kube';
import type { Problem } from '../review/refusal.ts';

// What the scheduler's NodeAffinity and TaintToleration plugins ask, without their scores.

/** Does the node have what the pod's selector and required affinity ask for? */
export function selectsNode(pod: Pod, node: Node): boolean {
  return selectionProblem(pod, node) === undefined;
}

export function selectionProblem({ spec }: Pod, node: Node): Problem | undefined {
  const { name = '', labels = {} } = node.metadata ?? {};
  const remedy = `Compare with the labels of the node: kubectl get node ${name} --show-labels`;
  const missing = Object.entries(spec?.nodeSelector ?? {}).find(([key, value]) => labels[key] !== value);
  if (missing !== undefined) {
    const message = `the node ${name} of the pool does not have the label ${missing.join('=')}`;
    return { field: 'spec.nodeSelector', message, remedy };
  }
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined || matchesAnyTerm(required.nodeSelectorTerms, node)) return undefined;
  const message = `the required node affinity does not match the node ${name} of the pool`;
  return { field: 'spec.affinity.nodeAffinity', message, remedy };
}

/** A term without requirements matches nothing. */
export function matchesAnyTerm(terms: readonly NodeSelectorTerm[], node: Node): boolean {
  const labels = node.metadata?.labels ?? {};
  const fields = { 'metadata.name': node.metadata?.name ?? '' };
  return terms.some(
    ({ matchExpressions = [], matchFields = [] }) =>
      matchExpressions.length + matchFields.length > 0 &&
      matchExpressions.every((requirement) => isMet(requirement, labels)) &&
      matchFields.every((requirement) => isMet(requirement, fields)),
  );
}

function isMet(
  { key, operator, values = [] }: NodeSelectorRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return isInteger(value) && Number(value) > Number(values[0]);
    case 'Lt':
      return isInteger(value) && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

const isInteger = (text: string | undefined): text is string => text !== undefined && /^-?\d+$/.test(text);

/** Taints that keep a pod with these tolerations away; a preference keeps nobody away. */
export function untoleratedTaints(tolerations: readonly Toleration[], taints: readonly Taint[]): readonly Taint[] {
  return taints.filter(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
}

export function tolerates({ key = '', operator, value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return key !== '' && value === (taint.value ?? '');
}
