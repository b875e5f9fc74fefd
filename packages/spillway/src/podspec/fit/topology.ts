import type { Node, Pod } from '@spillway/kube';
import type { Problem } from '../review/refusal.ts';

const hostname = 'kubernetes.io/hostname';

/**
 * Required rules about where other pods are. Every instance is a machine of its own, so that rules which keep pods apart
 * on hostnames are always met, and those that bring pods together on one never are. Rules about zones and the like need a
 * node that has such a label; which pods are in its zone is not counted.
 */
export function topologyProblem({ spec }: Pod, node: Node): Problem | undefined {
  const { name = '', labels = {} } = node.metadata ?? {};
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  const together = keys(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
  if (together.includes(hostname)) {
    return {
      field: 'spec.affinity.podAffinity',
      message: 'the pod must be on the same node as other pods, and each burst pod is on a machine of its own',
      remedy: 'Remove the required podAffinity, or make it a preferred one.',
    };
  }
  const rules = {
    'spec.affinity.podAffinity': together,
    'spec.affinity.podAntiAffinity': keys(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    'spec.topologySpreadConstraints': keys(
      spec?.topologySpreadConstraints?.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule'),
    ),
  };
  for (const [field, topologyKeys] of Object.entries(rules)) {
    const missing = topologyKeys.find((key) => key !== hostname && labels[key] === undefined);
    if (missing === undefined) continue;
    const message = `the rule needs a node with the label ${missing}, which the node ${name} of the pool does not have`;
    return { field, message, remedy: `Add ${missing} to pools[].labels in the configuration, or remove the rule.` };
  }
  return undefined;
}

function keys(rules: readonly { readonly topologyKey: string }[] | undefined): readonly string[] {
  return (rules ?? []).map(({ topologyKey }) => topologyKey);
}
