import { type HorizontalPodAutoscaler, nameOf, namespaceOf, type Node, type Pod } from '@spillway/kube';
import { roomOf } from '../diagnosis/room.ts';
import { forecastOf } from '../diagnosis/plan/forecast.ts';
import { isVirtual } from '../diagnosis/why.ts';
import { counted } from '../podspec/words.ts';
import { keyOf } from './choose.ts';
import { intentOf, type Wish } from './plan.ts';
import type { Workload } from './workload.ts';

const kedaLabel = 'scaledobject.keda.sh/name';

/** What people should know before. @param workloads those that are changed */
export function notesOf(
  workloads: readonly Workload[],
  nodes: readonly Node[],
  autoscalers: readonly HorizontalPodAutoscaler[],
  wish: Wish,
): string[] {
  return [
    ...nodes.filter((node) => !isServed(node)).map(unservedLine),
    ...workloads.flatMap((workload) => [...controllerLine(workload), ...jobLine(workload, wish)]),
    ...(wish.to === 'zero' ? workloads.flatMap((workload) => autoscalerLines(workload, autoscalers)) : []),
    ...(wish.closed ? [] : ['Only a part of the workloads was asked for: the virtual nodes stay open for all others']),
  ];
}

/** Its pods end only while somebody serves it. */
export const isServed = ({ status }: Node): boolean =>
  (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True');

const unservedLine = (node: Node): string =>
  `Nobody serves the virtual node ${nameOf(node)}: its pods end when "spillway serve" runs again. "spillway uninstall" ends them without it`;

function controllerLine(workload: Workload): string[] {
  if (workload.controller === undefined) return [];
  return [`${keyOf(workload)} belongs to ${workload.controller}, which may undo this: pause or change that, too`];
}

function jobLine(workload: Workload, wish: Wish): string[] {
  if (workload.kind !== 'Job' || wish.to !== 'local' || intentOf(workload, wish) !== 'suspend') return [];
  return [`${keyOf(workload)} is suspended: the pod template of a Job cannot change, and says that its pods burst`];
}

/** With 0 replicas an autoscaler stands still, unless 0 is among what it may choose. */
function autoscalerLines(workload: Workload, autoscalers: readonly HorizontalPodAutoscaler[]): string[] {
  return autoscalers
    .filter(({ spec, ...object }) => {
      const { kind, name } = spec?.scaleTargetRef ?? {};
      return namespaceOf(object) === workload.namespace && kind === workload.kind && name === workload.name;
    })
    .flatMap((autoscaler) => {
      const keda = autoscaler.metadata?.labels?.[kedaLabel];
      if (keda !== undefined) {
        return [
          `ScaledObject ${workload.namespace}/${keda} may scale ${keyOf(workload)} up again: pause it with the annotation autoscaling.keda.sh/paused: "true"`,
        ];
      }
      if (autoscaler.spec?.minReplicas !== 0) return [];
      return [
        `HorizontalPodAutoscaler ${workload.namespace}/${nameOf(autoscaler)} may scale ${keyOf(workload)} up again, because its minReplicas is 0: set it to 1`,
      ];
    });
}

/** For each workload, how many of its burst pods would find no room on nodes that are not virtual. The first takes it from those after it. */
export function waitingOf(
  workloads: readonly Workload[],
  { nodes, pods }: { readonly nodes: readonly Node[]; readonly pods: readonly Pod[] },
): ReadonlyMap<string, number> {
  const room = roomOf(nodes, pods);
  const real = nodes.filter((node) => !isVirtual(node));
  return new Map(
    workloads.map(({ uid, template, pods: burst }) => [
      uid,
      forecastOf(template, burst.length, { nodes: real, pools: [], room }).waiting,
    ]),
  );
}

export const podsText = (count: number): string => counted(count, 'pod');
