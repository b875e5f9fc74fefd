import { keyOf, type Pod } from '@spillway/kube';
import type { Trace } from '../backends/survey.ts';

/** A namespace with the add-on's marks at a provider. */
export interface AddOnPlace {
  readonly place: string;
  readonly namespace: string;
  /** The ID that CCE gives to the cluster. */
  readonly clusterId: string;
  readonly ofThisCluster: 'yes' | 'unknown';
  readonly running: number;
  /** Running, of pods that are not on the add-on's node: NAMESPACE/NAME. Empty where it is not known to be of this cluster. */
  readonly withoutPod: readonly string[];
}

export type PlacedTrace = Trace & { readonly place: string };

const isOfAddOn = ({ by }: Trace): boolean => by === 'add-on';
const spaceOf = ({ place, namespace }: PlacedTrace): string => `${place}\n${namespace}`;

/**
 * Which of the add-on's namespaces are of the cluster with these pods on the add-on's node: those that have an instance of each of them.
 * A cluster does not know the ID that CCE has given to it.
 */
export function ownSpaces(traces: readonly PlacedTrace[], pods: readonly Pod[]): ReadonlySet<string> {
  const own = traces.filter(isOfAddOn).filter(({ instances }) => {
    const there = new Set(instances.map(({ pod }) => pod));
    return pods.length > 0 && pods.every((pod) => there.has(keyOf(pod)));
  });
  return new Set(own.map(spaceOf));
}

/** @param own as `ownSpaces` has them @param pods on the add-on's node now */
export function addOnPlaces(
  traces: readonly PlacedTrace[],
  own: ReadonlySet<string>,
  pods: readonly Pod[],
): readonly AddOnPlace[] {
  const present = new Set(pods.map(keyOf));
  return traces.filter(isOfAddOn).map((trace) => {
    const { place, namespace, clusterId, instances } = trace;
    const isOurs = own.has(spaceOf(trace));
    const running = instances.filter(({ ended }) => !ended);
    return {
      place,
      namespace,
      clusterId,
      ofThisCluster: isOurs ? 'yes' : 'unknown',
      running: running.length,
      withoutPod: isOurs ? running.flatMap(({ pod }) => (present.has(pod) ? [] : [pod])) : [],
    };
  });
}
