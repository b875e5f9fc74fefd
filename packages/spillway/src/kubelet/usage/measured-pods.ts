import type { KnownPod } from '../../pods/known-pods.ts';
import type { ContainerFigures, NodeFigures, PodFigures } from '../../usage/figures.ts';
import { type RunningContainer, runningContainers } from '../../usage/running.ts';

/** A pod of which containers run, with what is known of them. */
export interface MeasuredPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly startedAt: string;
  readonly containers: readonly MeasuredContainer[];
  readonly figures: PodFigures | undefined;
}

export interface MeasuredContainer extends RunningContainer {
  readonly figures: ContainerFigures | undefined;
}

/** The pods that the node shows now; figures of containers that have ended are left out. */
export function measuredPods(pods: Iterable<KnownPod>, known: NodeFigures | undefined): MeasuredPod[] {
  return Array.from(pods).flatMap(({ pod: { metadata }, instance }) => {
    const running = instance ? runningContainers(instance) : [];
    if (instance === undefined || running.length === 0) return [];
    const { namespace = '', name = '', uid = '' } = metadata ?? {};
    const figures = known?.pods.get(uid);
    const containers = running.map((container) => {
      const measured = figures?.containers.get(container.name);
      return { ...container, figures: measured?.startedAtMs === container.startedAtMs ? measured : undefined };
    });
    return { namespace, name, uid, startedAt: instance.startTime, containers, figures };
  });
}
