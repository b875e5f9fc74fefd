import { type Evidence, type Pod, uidOf } from '@spillway/kube';
import { instanceRef, isReady } from '../../podspec/pod-facts.ts';
import { Actor, type ActorParts } from '../actor.ts';
import { isRespecified } from '../core/respecified.ts';
import { newPod, podChanged } from '../core/transitions.ts';
import type { Registry } from '../registry.ts';
import { boundAtMs, type Timeline } from '../timeline.ts';
import { isOfDaemonSet } from './placeholder.ts';
import type { PodReview } from './pod-review.ts';

export interface ArrivalsOptions {
  readonly registry: Registry;
  /** Of the actors that are made for pods. */
  readonly parts: ActorParts;
  /** May the pod run here, and how? */
  readonly review: (pod: Pod) => PodReview;
  /** What becomes of pods of DaemonSets, see placeholder.ts. */
  readonly daemonSets: 'placeholder' | 'reject';
  /** Was there a complete listing of the backend? */
  readonly instancesListed: () => boolean;
  /** A pod that came while we watched is Ready for the first time. */
  readonly onReady: (timeline: Timeline) => void;
}

/** Pods that are bound to the node: each gets its actor when it is seen first, and that is told what changes. */
export class Arrivals {
  readonly #options: ArrivalsOptions;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  seen(pod: Pod, by: Evidence): void {
    const actor = this.#options.registry.get(uidOf(pod));
    if (actor) this.#changed(actor, pod);
    else this.#added(pod, by);
  }

  #added(pod: Pod, by: Evidence): void {
    const { registry, parts, review, daemonSets, instancesListed } = this.#options;
    const ref = instanceRef(pod);
    const nowMs = parts.timing.now();
    const placeholder = daemonSets === 'placeholder' && isOfDaemonSet(pod);
    const reviewed = placeholder ? { refusals: [] } : review(pod);
    const arrival = { listed: instancesListed(), inherited: by === 'list', placeholder };
    const actor = new Actor(newPod({ pod, ref, ...reviewed, nowMs }, arrival), parts);
    const boundMs = boundAtMs(pod);
    if (boundMs !== undefined) actor.timeline.pass('bound', boundMs);
    actor.timeline.pass('seen', nowMs);
    registry.add(actor);
  }

  #changed(actor: Actor, pod: Pod): void {
    const { parts, review, onReady } = this.#options;
    const { state, timeline } = actor;
    const nowMs = parts.timing.now();
    const known = { refusals: state.refusals, sized: state.sizedNow };
    const { refusals, sized } = isRespecified(state.pod, pod) && !state.placeholder ? review(pod) : known;
    if (isReady(pod) && !timeline.has('ready')) {
      timeline.pass('ready', nowMs);
      if (!state.inherited) onReady(timeline);
    }
    actor.apply((now) => podChanged(now, { pod, ref: now.ref, refusals, sized, nowMs }));
  }
}
