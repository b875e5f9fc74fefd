import type { Logger, Pod } from '@spillway/kube';
import type { Refusal } from '../../backends/backend.ts';
import { fitOf, type PoolOffer } from '../../podspec/fit/fit.ts';
import { instanceRef, statusShowsItRan } from '../../podspec/pod-facts.ts';
import { type Sized, sizePod, type Sizing } from '../../podspec/sizing/size-pod.ts';
import { podFields } from '../log.ts';
import { type IntakeNode, intakeRefusals } from './intake.ts';

export interface Reviewers {
  readonly node: IntakeNode;
  readonly offer: PoolOffer;
  readonly logger: Logger;
}

export interface PodReview {
  /** Why the pod may not run here; empty: it may. */
  readonly refusals: readonly Refusal[];
  /** How large it is when it runs; absent: as it was written. */
  readonly sized?: Sized | undefined;
}

/** Did the pod ask to run here, and does the pool run it? What ran here was let in once. */
export function reviewPod(pod: Pod, { node, offer, logger }: Reviewers): PodReview {
  if (statusShowsItRan(pod)) return letIn(sizePod(pod.spec ?? { containers: [] }, offer.sizing));
  const unasked = intakeRefusals(pod, node);
  if (unasked.length > 0) return { refusals: unasked };
  try {
    const fit = fitOf(pod, offer);
    return fit.kind === 'refused' ? { refusals: fit.reasons } : letIn(fit.kind === 'fits' ? fit.sized : undefined);
  } catch (error) {
    // The create will say what is wrong, if something is.
    logger.error(
      { err: error, ...podFields(instanceRef(pod)) },
      'the review of a pod failed; this is a bug in Spillway',
    );
    return letIn(undefined);
  }
}

function letIn(sizing: Sizing | undefined): PodReview {
  return { refusals: [], ...(sizing?.kind === 'sized' && sizing.ruleSet !== 'none' && { sized: sizing }) };
}
