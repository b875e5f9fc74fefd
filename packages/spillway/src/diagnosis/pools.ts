import type { Node } from '@spillway/kube';
import {
  backendAnnotation,
  blockedTaint,
  claimsAnnotation,
  manyClaims,
  sizingAnnotation,
} from '../podspec/contract.ts';
import type { Pool } from '../podspec/fit/fit.ts';
import { type Support, unknownSupport } from '../podspec/fit/support.ts';
import { ruleSetNames } from '../podspec/sizing/rule-sets.ts';

/** What becomes of pods in each kind of backend, by name. */
export type Supports = ReadonlyMap<string, Support>;

interface ShownPools {
  readonly pools: readonly Pool[];
  /** What is not known of them, and why. */
  readonly remarks: readonly string[];
}

/** The pools as their nodes show them. */
export function poolsOfNodes(virtualNodes: readonly Node[], supports: Supports): ShownPools {
  const remarks: string[] = [];
  const unread = ({ metadata }: Node, annotation: string, unknown: string): void => {
    const text = metadata?.annotations?.[annotation];
    const why = text === undefined ? 'is missing' : `has the unknown value "${text}"`;
    remarks.push(`Node ${metadata?.name ?? ''}: the annotation ${annotation} ${why}, so ${unknown}.`);
  };
  const pools = virtualNodes.map((node): Pool => {
    const { name = '', annotations = {} } = node.metadata ?? {};
    const support = supports.get(annotations[backendAnnotation] ?? '');
    const sizing = ruleSetNames.find((rules) => rules === annotations[sizingAnnotation]);
    if (support === undefined) unread(node, backendAnnotation, 'what its backend refuses is known only with --config');
    if (sizing === undefined) unread(node, sizingAnnotation, 'sizes are shown as written');
    return {
      name,
      nodeName: name,
      taints: (node.spec?.taints ?? []).filter(({ key }) => key !== blockedTaint.key),
      support: support ? withClaims(support, annotations[claimsAnnotation]) : unknownSupport,
      sizing: sizing ?? 'none',
    };
  });
  return { pools, remarks };
}

/** Which claims a backend mounts may be a matter of its configuration, which its node shows. */
function withClaims({ claims, ...support }: Support, shown: string | undefined): Support {
  if (claims === undefined || shown === undefined || shown === manyClaims) return support;
  return { ...support, claims: new Set(shown.split(',')) };
}
