import type { Node, Pod } from '@spillway/kube';
import type { PlacementPool } from '../../placement/binder/choose-pool.ts';
import { sizingAnnotation } from '../../podspec/contract.ts';
import { type RuleSetName, ruleSetNames } from '../../podspec/sizing/rule-sets.ts';
import { sizePod } from '../../podspec/sizing/size-pod.ts';

export interface PlanPool extends PlacementPool {
  readonly sizing: RuleSetName;
}

/** The pools as far as their nodes show them. */
export function poolsOfNodes(virtualNodes: readonly Node[]): {
  readonly pools: readonly PlanPool[];
  readonly remarks: readonly string[];
} {
  const remarks: string[] = [];
  const pools = virtualNodes.map((node): PlanPool => {
    const name = node.metadata?.name ?? '';
    const text = node.metadata?.annotations?.[sizingAnnotation];
    const known = ruleSetNames.find((rules) => rules === text);
    if (known === undefined) {
      remarks.push(
        `node ${name}: ${text === undefined ? `it has no annotation ${sizingAnnotation}` : `its sizing "${text}" is not known here`}; sizes are shown as written`,
      );
    }
    const sizing = known ?? 'none';
    return { name, nodeName: name, sizing, review: (pod) => sizeRefusals(pod, sizing) };
  });
  return { pools, remarks: [...remarks, 'What the backend of a pool refuses is known only with --config.'] };
}

function sizeRefusals({ spec }: Pod, sizing: RuleSetName): ReturnType<PlacementPool['review']> {
  const size = sizePod(spec ?? { containers: [] }, sizing);
  return size.kind === 'refused' ? size.refusals : [];
}
