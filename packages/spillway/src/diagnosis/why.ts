import type { Event, Node, Pod, Taint } from '@spillway/kube';
import type { Explanation } from '../pods/explain.ts';
import { isAddOnNode } from '../cce-addon/marks.ts';
import type { ClaimSources } from '../podspec/claims.ts';
import { fitOf, type Pool } from '../podspec/fit/fit.ts';
import { sizeAnnotationNames, virtualNodeLabels } from '../podspec/contract.ts';
import type { Resources } from '../podspec/resources.ts';
import type { Reason } from '../podspec/review/refusal.ts';
import { untoleratedTaints } from '../podspec/fit/node-match.ts';
import { travellingAnnotations } from '../podspec/travelling.ts';
import { type Burst, burstOf } from './burst.ts';
import { type ClaimView, claimViewsOf } from './claim-view.ts';
import { roomOf } from './room.ts';
import { type ShownPolicy, shownPolicyOf } from './policy.ts';

/** What was read in the cluster about one pod. */
export interface WhyFacts {
  readonly pod: Pod;
  readonly nodes: readonly Node[];
  readonly events: readonly Event[];
  /** Pools whose virtual nodes these are. */
  readonly pools: readonly Pool[];
  /** Pods on the virtual nodes. Missing: they may not be listed. */
  readonly burstPods?: readonly Pod[];
  /** Missing: they may not be read. */
  readonly claims?: ClaimSources;
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
  /** Missing where there are none, or they may not be read. */
  readonly claims?: readonly ClaimView[];
  /** Missing where no virtual node is concerned, or the pod has none. */
  readonly annotations?: readonly AnnotationView[];
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
  /** Taints that keep this pod away from the scheduler's point of view. */
  readonly taints: readonly string[];
  /** Would the pool run it now? `no`: the pod would have to change; `notNow`: something around it. */
  readonly burst: Burst;
  readonly reasons: readonly Reason[];
}

/** Which of the pod's own annotations a virtual node passes on to its backend. */
export interface AnnotationView {
  readonly node: string;
  readonly sent: readonly string[];
  readonly kept: readonly string[];
}

export interface WhyEvent {
  readonly at: string;
  readonly type: string;
  readonly reason: string;
  readonly from: string;
  readonly count: number;
  readonly message: string;
}

export function why(facts: WhyFacts): Why {
  const { pod, nodes, pools, events, explanation } = facts;
  const { metadata, status } = pod;
  const placement = placementOf(pod, nodes);
  const size = sizeOf(pod);
  const claims = facts.claims ? claimViewsOf(pod, facts.claims) : [];
  const its = placement.kind === 'bound' ? pools.filter(({ nodeName }) => nodeName === placement.node) : pools;
  const annotations = its.flatMap((pool) => annotationsOf(pod, pool));
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    phase: status?.phase ?? 'Pending',
    policy: shownPolicyOf(pod),
    placement,
    ...(size ? { size } : {}),
    ...(claims.length > 0 && { claims }),
    ...(annotations.length > 0 && { annotations }),
    ...(placement.kind === 'bound' ? {} : { virtualNodes: pools.map((pool) => viewOf(pool, facts)) }),
    ...(explanation === undefined
      ? {}
      : typeof explanation === 'string'
        ? { backendUnknown: explanation }
        : { backend: explanation }),
    events: events.map(eventOf).toSorted((a, b) => a.at.localeCompare(b.at)),
  };
}

/** A virtual node of Spillway. That of the CCE add-on has the same labels. */
export function isVirtual(node: Node): boolean {
  const { labels } = node.metadata ?? {};
  return !isAddOnNode(node) && Object.entries(virtualNodeLabels).some(([key, value]) => labels?.[key] === value);
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

function annotationsOf(pod: Pod, { nodeName, support }: Pool): AnnotationView[] {
  const sent = Object.keys(travellingAnnotations(pod, support.annotations));
  const kept = Object.keys(travellingAnnotations(pod)).filter((key) => !sent.includes(key));
  return sent.length + kept.length === 0 ? [] : [{ node: nodeName, sent, kept }];
}

function sizeOf({ metadata }: Pod): Why['size'] {
  const cpu = metadata?.annotations?.[sizeAnnotationNames.cpu];
  const memory = metadata?.annotations?.[sizeAnnotationNames.memory];
  return cpu === undefined || memory === undefined ? undefined : { cpu, memory };
}

function viewOf(pool: Pool, { pod, nodes, burstPods, claims }: WhyFacts): VirtualNodeView {
  const name = pool.nodeName;
  const node = nodes.find(({ metadata }) => metadata?.name === name);
  const room = burstPods && roomOf(nodes, burstPods);
  const shortage = room && ((amounts: Resources): string | undefined => room.shortage(name, amounts));
  const fit = fitOf(pod, pool, { node, claims, shortage });
  return {
    name,
    ready: node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    taints: untoleratedTaints(pod.spec?.tolerations ?? [], node?.spec?.taints ?? []).map(taintText),
    burst: burstOf(fit),
    reasons: fit.kind === 'fits' ? [] : fit.reasons,
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
