import type { Node, Pod } from '@spillway/kube';
import type { Misfit } from './misfit.ts';

const hostname = 'kubernetes.io/hostname';

/**
 * Required rules about where other pods are. Every instance is a machine of its own, so that rules which keep pods apart
 * on hostnames are always met, and those that bring pods together on one never are. Rules about zones and the like need a
 * node that has such a label; which pods are in its zone is not counted.
 */
export function topologyMisfit({ spec }: Pod, node: Node): Misfit | undefined {
  const labels = node.metadata?.labels ?? {};
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  const together = keys(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
  if (together.includes(hostname)) {
    return misfit(
      'the pod wants to be on the same node as other pods, and every burst pod is on a machine of its own',
      'Leave out the required podAffinity, or make it a preferred one',
    );
  }
  const apart = keys(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
  const spread = keys(
    spec?.topologySpreadConstraints?.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule'),
  );
  const missing = [...together, ...apart, ...spread].find((key) => key !== hostname && labels[key] === undefined);
  if (missing === undefined) return undefined;
  return misfit(
    `the pod has a rule about "${missing}", and the virtual node has no such label`,
    `Give the pool the label ${missing} in the configuration (pools[].labels), or leave out the rule`,
  );
}

function keys(rules: readonly { readonly topologyKey: string }[] | undefined): readonly string[] {
  return (rules ?? []).map(({ topologyKey }) => topologyKey);
}

function misfit(message: string, remedy: string): Misfit {
  return { kind: 'topology', message, remedy };
}
