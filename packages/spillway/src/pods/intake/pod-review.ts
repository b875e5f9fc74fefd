import type { Logger, Pod } from '@spillway/kube';
import type { Backend, Refusal } from '../../backends/backend.ts';
import type { RuleSetName } from '../../podspec/sizing/rule-sets.ts';
import { sizePod, type Sized, type Sizing } from '../../podspec/sizing/size-pod.ts';
import { type IntakeNode, intakeRefusals } from './intake.ts';
import { instanceRef, statusShowsItRan } from '../../podspec/pod-facts.ts';
import { podFields } from '../log.ts';

export interface Reviewers {
  readonly node: IntakeNode;
  readonly backend: Pick<Backend, 'review'>;
  readonly sizing: RuleSetName;
  readonly logger: Logger;
}

export interface PodReview {
  /** Why the pod may not run here; empty: it may. */
  readonly refusals: readonly Refusal[];
  /** How large it is when it runs; absent: as it was written. */
  readonly sized?: Sized | undefined;
}

/** Did the pod ask to run here, can it be had in some size, and can the backend run it? What ran here was let in once. */
export function reviewPod(pod: Pod, reviewers: Reviewers): PodReview {
  const sizing = sizePod(pod.spec ?? { containers: [] }, reviewers.sizing);
  const refusals = statusShowsItRan(pod) ? [] : refusalsOf(pod, sizing, reviewers);
  const sized = sizing.kind === 'sized' && reviewers.sizing !== 'none' && refusals.length === 0 ? sizing : undefined;
  return { refusals, sized };
}

function refusalsOf(pod: Pod, sizing: Sizing, { node, backend, logger }: Reviewers): readonly Refusal[] {
  const refusals = intakeRefusals(pod, node);
  if (refusals.length > 0) return refusals;
  const unsizable = sizing.kind === 'refused' ? sizing.refusals : [];
  try {
    return [...backend.review(pod).refusals, ...unsizable];
  } catch (error) {
    // The create will say what is wrong, if something is.
    logger.error(
      { err: error, ...podFields(instanceRef(pod)) },
      'the review of a pod failed; this is a bug in Spillway',
    );
    return unsizable;
  }
}
