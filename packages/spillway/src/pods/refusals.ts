import type { Logger, Pod } from '@spillway/kube';
import type { Backend, Refusal } from '../backends/backend.ts';
import { type IntakeNode, intakeRefusals } from './intake.ts';
import { statusShowsItRan } from '../podspec/pod-facts.ts';
import { instanceRef } from './pod-facts.ts';
import { podFields } from './pod-log.ts';

export interface Reviewers {
  readonly node: IntakeNode;
  readonly backend: Pick<Backend, 'review'>;
  readonly logger: Logger;
}

/** Why the pod may not run here: did it ask to, and can the backend? What ran here was let in once. */
export function refusalsOf(pod: Pod, { node, backend, logger }: Reviewers): readonly Refusal[] {
  if (statusShowsItRan(pod)) return [];
  const refusals = intakeRefusals(pod, node);
  if (refusals.length > 0) return refusals;
  try {
    return backend.review(pod).refusals;
  } catch (error) {
    // The create will say what is wrong, if something is.
    logger.error({ err: error, ...podFields(instanceRef(pod)) }, 'the review of a pod failed; this is a defect');
    return [];
  }
}
