import type { Event, Node, Pod, Taint } from '@spillway/kube';
import type { Explanation } from '../pods/explain.ts';
import { sizeAnnotationNames, virtualNodeLabels } from '../podspec/contract.ts';
import { untoleratedTaints } from '../placement/binder/node-match.ts';
import { type ShownPolicy, shownPolicyOf } from './policy.ts';

/** What was read in the cluster about one pod. */
export interface WhyFacts {
  readonly pod: Pod;
  readonly nodes: readonly Node[];
  readonly events: readonly Event[];
  /** What the pod's virtual node says of it; a text says why that could not be asked. Undefined: it is on none. */
  readonly explanation?: Explanation | string;
}

/** The answer of `spillway why`; stable, see docs/cli.md. */
export interface Why {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly phase: string;
  readonly policy: ShownPolicy;
  readonly placement: Placement;
  /** What is billed; missing where no size was fixed yet. */
  readonly size?: { readonly cpu: string; readonly memory: string };
  /** How each virtual node looks from this pod; missing when it is bound. */
  readonly virtualNodes?: readonly VirtualNodeView[];
  readonly backend?: Explanation;
  /** Why `backend` is missing although the pod is on a virtual node. */
  readonly backendUnknown?: string;
  readonly events: readonly WhyEvent[];
}

export type Placement =
  | { readonly kind: 'bound'; readonly node: string; readonly virtual: boolean }
  | { readonly kind: 'gated'; readonly gates: readonly string[] }
  | { readonly kind: 'pending'; readonly scheduler: string; readonly reason?: string; readonly message?: string };

export interface VirtualNodeView {
  readonly name: string;
  readonly ready: boolean;
  /** Taints that keep this pod away. */
  readonly taints: readonly string[];
}

export interface WhyEvent {
  readonly at: string;
  readonly type: string;
  readonly reason: string;
  readonly from: string;
  readonly count: number;
  readonly message: string;
}

export function why({ pod, nodes, events, explanation }: WhyFacts): Why {
  const { metadata, status } = pod;
  const placement = placementOf(pod, nodes);
  const size = sizeOf(pod);
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    phase: status?.phase ?? 'Pending',
    policy: shownPolicyOf(pod),
    placement,
    ...(size ? { size } : {}),
    ...(placement.kind === 'bound' ? {} : { virtualNodes: nodes.filter(isVirtual).map((node) => viewOf(node, pod)) }),
    ...(explanation === undefined
      ? {}
      : typeof explanation === 'string'
        ? { backendUnknown: explanation }
        : { backend: explanation }),
    events: events.map(eventOf).toSorted((a, b) => a.at.localeCompare(b.at)),
  };
}

export function isVirtual({ metadata }: Node): boolean {
  return Object.entries(virtualNodeLabels).some(([key, value]) => metadata?.labels?.[key] === value);
}

function placementOf({ spec, status }: Pod, nodes: readonly Node[]): Placement {
  const node = spec?.nodeName;
  if (node) {
    return { kind: 'bound', node, virtual: nodes.some((known) => known.metadata?.name === node && isVirtual(known)) };
  }
  const gates = spec?.schedulingGates?.map(({ name }) => name) ?? [];
  if (gates.length > 0) return { kind: 'gated', gates };
  const condition = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return {
    kind: 'pending',
    scheduler: spec?.schedulerName ?? 'default-scheduler',
    ...(condition?.reason ? { reason: condition.reason } : {}),
    ...(condition?.message ? { message: condition.message } : {}),
  };
}

function sizeOf({ metadata }: Pod): Why['size'] {
  const cpu = metadata?.annotations?.[sizeAnnotationNames.cpu];
  const memory = metadata?.annotations?.[sizeAnnotationNames.memory];
  return cpu === undefined || memory === undefined ? undefined : { cpu, memory };
}

function viewOf({ metadata, spec, status }: Node, pod: Pod): VirtualNodeView {
  return {
    name: metadata?.name ?? '',
    ready: status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
    taints: untoleratedTaints(pod.spec?.tolerations ?? [], spec?.taints ?? []).map(taintText),
  };
}

function taintText({ key, value, effect }: Taint): string {
  return `${key}${value ? `=${value}` : ''}:${effect}`;
}

function eventOf(event: Event): WhyEvent {
  const { type, reason, message, source, series, count, lastTimestamp, eventTime, metadata } = event;
  return {
    at: lastTimestamp ?? series?.lastObservedTime ?? eventTime ?? metadata?.creationTimestamp ?? '',
    type: type ?? 'Normal',
    reason: reason ?? '',
    from: source?.component ?? event.reportingComponent ?? '',
    count: series?.count ?? count ?? 1,
    message: message ?? '',
  };
}
