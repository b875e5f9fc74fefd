import type { Container, Pod } from '@spillway/kube';
import { formatQuantity, type Nano, nanoOf } from './quantities.ts';

/** Amounts by resource name. */
export type Resources = ReadonlyMap<string, Nano>;

export type ResourceKind = 'requests' | 'limits';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/**
 * What the pod as a whole requests or is limited to, as the scheduler counts it: containers and sidecars together, or the
 * largest init container with the sidecars before it, whichever is more; what the pod itself sets goes before; overhead on top.
 */
export function podResources(pod: Pod, kind: ResourceKind): Resources {
  const { containers = [], initContainers = [], overhead = {}, resources } = pod.spec ?? {};
  let total = sum(...containers.map((container) => containerResources(container, kind)));
  let sidecars: Resources = new Map();
  let init: Resources = new Map();
  for (const container of initContainers) {
    const own = containerResources(container, kind);
    if (container.restartPolicy === 'Always') {
      total = sum(total, own);
      sidecars = sum(sidecars, own);
      init = largest(init, sidecars);
    } else {
      init = largest(init, sum(own, sidecars));
    }
  }
  total = new Map([...largest(total, init), ...amounts(resources?.[kind])]);
  const extra = Object.entries(overhead).filter(([name]) => kind === 'requests' || total.has(name));
  return sum(total, amounts(Object.fromEntries(extra)));
}

/** A limit without a request requests the limit; the API server fills that in, and pods from elsewhere are read the same way. */
export function containerResources(container: Container, kind: ResourceKind): Resources {
  const { requests, limits } = container.resources ?? {};
  return amounts(kind === 'limits' ? limits : { ...limits, ...requests });
}

/** Guaranteed: every container has equal requests and limits of cpu and memory. BestEffort: none has any. */
export function qosClass(pod: Pod): QosClass {
  const { containers = [], initContainers = [], resources: own } = pod.spec ?? {};
  const holders = own?.requests || own?.limits ? [{ resources: own }] : [...containers, ...initContainers];
  const each = holders.map(({ resources }) => ({
    requests: computeOnly(amounts({ ...resources?.limits, ...resources?.requests })),
    limits: computeOnly(amounts(resources?.limits)),
  }));
  if (each.every(({ requests, limits }) => requests.size + limits.size === 0)) return 'BestEffort';
  const guaranteed = each.every(
    ({ requests, limits }) =>
      limits.size === 2 && ['cpu', 'memory'].every((name) => requests.get(name) === limits.get(name)),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** As a ResourceList of the API. */
export function formatResources(resources: Resources): Record<string, string> {
  return Object.fromEntries(Array.from(resources, ([name, amount]) => [name, formatQuantity(amount)]));
}

function amounts(list: Readonly<Record<string, string>> | undefined): Map<string, Nano> {
  return new Map(Object.entries(list ?? {}).map(([name, quantity]) => [name, nanoOf(quantity)]));
}

function computeOnly(resources: Resources): Resources {
  return new Map([...resources].filter(([name, amount]) => /^(cpu|memory)$/.test(name) && amount > 0n));
}

function sum(...all: readonly Resources[]): Resources {
  const total = new Map<string, Nano>();
  for (const resources of all) {
    for (const [name, amount] of resources) total.set(name, (total.get(name) ?? 0n) + amount);
  }
  return total;
}

function largest(a: Resources, b: Resources): Resources {
  const result = new Map(a);
  for (const [name, amount] of b) {
    const other = result.get(name);
    if (other === undefined || amount > other) result.set(name, amount);
  }
  return result;
}
