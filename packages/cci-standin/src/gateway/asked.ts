import { isObject, listAt, objectAt, textAt, type JsonObject } from '../json.ts';
import { milliOf } from '../rules/quantity.ts';

// A kubelet has as many CPUs as its machine, and neither it nor the scheduler takes more pods than have room by what they request. CCI has
// room for all. So pods request nothing of the node, their limits stay as they are, and what was requested is kept in annotations: one for
// each container, so that each can be changed by itself.

const prefix = 'requests.cci-standin/';
const counted = new Set(['cpu', 'memory', 'ephemeral-storage']);
const lists = ['containers', 'initContainers'] as const;

/** What the containers of a pod requested, by name. */
type Kept = ReadonlyMap<string, JsonObject>;

/** A pod, a template, or a change of either, as it goes to the API server. */
export function requestingNothing(pod: JsonObject): JsonObject {
  const kept: Record<string, string> = {};
  const changed = inLists(objectAt(pod, 'spec'), lists, (container) => {
    const requested = requestedBy(container);
    if (Object.keys(requested).length === 0) return container;
    kept[`${prefix}${textAt(container, 'name') ?? ''}`] = JSON.stringify(requested);
    return withRequests(container, Object.fromEntries(Object.keys(requested).map((name) => [name, '0'])));
  });
  const { annotations } = objectAt(pod, 'metadata');
  const isSilent = !isObject(annotations) && Object.keys(kept).length === 0;
  return {
    ...pod,
    ...(pod['spec'] === undefined ? {} : { spec: changed }),
    ...(isSilent
      ? {}
      : { metadata: { ...objectAt(pod, 'metadata'), annotations: { ...shownAnnotations(pod), ...kept } } }),
  };
}

/** A pod or a template with the requests that it was made with. */
export function requestingAsMade(pod: JsonObject): JsonObject {
  const kept = keptOf(pod);
  if (kept.size === 0) return pod;
  const spec = inLists(objectAt(pod, 'spec'), lists, (container) => withKept(container, kept));
  const { annotations: _annotations, ...metadata } = objectAt(pod, 'metadata');
  const annotations = shownAnnotations(pod);
  return {
    ...pod,
    metadata: { ...metadata, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    ...(pod['spec'] === undefined ? {} : { spec }),
    ...(isObject(pod['status']) ? { status: statusAsMade(pod['status'], spec, kept) } : {}),
  };
}

/** Whether two pods, as the API server has them, were made with the same requests. */
export function areMadeAlike(one: JsonObject, other: JsonObject): boolean {
  const [a, b] = [keptOf(one), keptOf(other)];
  return a.size === b.size && [...a].every(([name, requests]) => areEqual(requests, b.get(name) ?? {}));
}

function areEqual(one: JsonObject, other: JsonObject): boolean {
  return Object.keys({ ...one, ...other }).every((name) => milliOf(one[name]) === milliOf(other[name]));
}

export function shownAnnotations(pod: JsonObject): JsonObject {
  const all = Object.entries(objectAt(pod, 'metadata', 'annotations'));
  return Object.fromEntries(all.filter(([key]) => !key.startsWith(prefix)));
}

function keptOf(pod: JsonObject): Kept {
  const kept = Object.entries(objectAt(pod, 'metadata', 'annotations')).filter(([key]) => key.startsWith(prefix));
  return new Map(
    kept.map(([key, text]) => [key.slice(prefix.length), objectAt({ requests: JSON.parse(String(text)) }, 'requests')]),
  );
}

/** Of what the node counts. A request that is left out is the limit; one that the API server refuses stays, so that it does. */
function requestedBy(container: unknown): JsonObject {
  const limits = objectAt(container, 'resources', 'limits');
  const all = Object.entries({ ...limits, ...objectAt(container, 'resources', 'requests') });
  return Object.fromEntries(
    all.filter(([name, amount]) => {
      const [request, limit] = [milliOf(amount), milliOf(limits[name])];
      return counted.has(name) && request !== undefined && (limit === undefined || request <= limit);
    }),
  );
}

function withKept(container: unknown, kept: Kept): unknown {
  const requested = kept.get(textAt(container, 'name') ?? '');
  if (requested === undefined || !isObject(container) || container['resources'] === undefined) return container;
  const limits = objectAt(container, 'resources', 'limits');
  const inWordsOfLimit = ([name, amount]: [string, unknown]): [string, unknown] =>
    // The API server has written the limit in its own way, such as 500m for 0.5.
    [name, milliOf(limits[name]) === milliOf(amount) ? limits[name] : amount];
  return withRequests(container, Object.fromEntries(Object.entries(requested).map(inWordsOfLimit)));
}

function withRequests(container: unknown, requests: JsonObject): JsonObject {
  const resources = objectAt(container, 'resources');
  const all = { ...objectAt(resources, 'requests'), ...requests };
  return { ...objectAt({ container }, 'container'), resources: { ...resources, requests: all } };
}

function statusAsMade(status: JsonObject, spec: JsonObject, kept: Kept): JsonObject {
  const shown = inLists(status, ['containerStatuses', 'initContainerStatuses'], (container) => {
    const whole = objectAt({ shown: withKept(container, kept) }, 'shown');
    if (whole['allocatedResources'] === undefined) return whole;
    return { ...whole, allocatedResources: objectAt(whole, 'resources', 'requests') };
  });
  return status['qosClass'] === undefined ? shown : { ...shown, qosClass: qosClassOf(spec) };
}

function inLists(object: JsonObject, names: readonly string[], change: (container: unknown) => unknown): JsonObject {
  const changed = names.flatMap((name) =>
    object[name] === undefined ? [] : [[name, listAt(object, name).map(change)] as const],
  );
  return { ...object, ...Object.fromEntries(changed) };
}

/** As Kubernetes says it of limits and requests. */
function qosClassOf(spec: JsonObject): string {
  const all = lists.flatMap((list) => listAt(spec, list));
  if (
    all.every((each) => [...amounts(each, 'requests'), ...amounts(each, 'limits')].every((amount) => amount === 0n))
  ) {
    return 'BestEffort';
  }
  const isGuaranteed = all.every((each) => {
    const requests = amounts(each, 'requests');
    return amounts(each, 'limits').every((limit, index) => limit > 0n && limit === requests[index]);
  });
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}

/** CPU and memory; nothing counts as none. */
function amounts(container: unknown, which: 'limits' | 'requests'): readonly bigint[] {
  return ['cpu', 'memory'].map((name) => milliOf(objectAt(container, 'resources', which)[name]) ?? 0n);
}
