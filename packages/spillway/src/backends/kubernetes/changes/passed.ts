import type { Pod, ResourceRequirements } from '@spillway/kube';
import { containersOf } from '../../../podspec/containers.ts';
import { parseJson } from '../../trusted.ts';
import { isOfPod } from '../fields/hosts-file.ts';

/** On a pod there: what it was given of what may change. Others add labels and annotations, and change images, as they like. */
export const passedAnnotation = 'spillway.dev/passed';

export interface Passed {
  /** Keys of the labels and annotations that are the pod's own. */
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
  readonly containers: Readonly<Record<string, PassedContainer>>;
}

interface PassedContainer {
  readonly image?: string;
  readonly resources?: Pick<ResourceRequirements, 'limits' | 'requests'>;
}

export function passedOf(
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
  pod: Pod,
): Passed {
  return { labels: Object.keys(labels), annotations: Object.keys(annotations), containers: containersPassed(pod) };
}

/** What is known of a pod that is there. One of an earlier Spillway does not say: nothing that runs is changed for that. */
export function readPassed(pod: Pod): Passed {
  const noted = pod.metadata?.annotations?.[passedAnnotation];
  if (noted === undefined) return { labels: [], annotations: [], containers: {} };
  return parseJson<Passed>(noted);
}

function containersPassed(pod: Pod): Passed['containers'] {
  return Object.fromEntries(
    containersOf(pod).flatMap(({ container: { name, image, resources } }) => {
      // An agent stays what it was when its pod started.
      if (!isOfPod({ name })) return [];
      const { limits, requests } = resources ?? {};
      const amounts = { ...(limits && { limits }), ...(requests && { requests }) };
      return [[name, { ...(image !== undefined && { image }), resources: amounts }] as const];
    }),
  );
}
