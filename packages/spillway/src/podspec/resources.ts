import type { Container, Pod } from '@spillway/kube';
import { type Nano, nanoOf } from './quantities.ts';

/** Amounts by resource name. */
export type Resources = ReadonlyMap<string, Nano>;

export type ResourceKind = 'requests' | 'limits';

const onePod: Nano = nanoOf(1);

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/**
 * What the pod as a whole requests or is limited to, as the scheduler counts it: containers and sidecars together, or the
 * largest init container with the sidecars before it, whichever is more; what the pod itself sets goes before; overhead on top.
 */
export function podResources(pod: Pod, kind: ResourceKind): Resources {
  const { containers = [], initContainers = [], overhead = {}, resources } = pod.spec ?? {};
  const parts = [
    ...containers.map((container) => ({ role: roleOf(container, false), own: containerResources(container, kind) })),
    ...initContainers.map((container) => ({ role: roleOf(container, true), own: containerResources(container, kind) })),
  ];
  const names = new Set(parts.flatMap(({ own }) => [...own.keys()]));
  const total = new Map(
    Array.from(names, (name) => [
      name,
      podTotal(parts.map(({ role, own }) => ({ role, amount: own.get(name) ?? 0n }))),
    ]),
  );
  for (const [name, amount] of amounts(resources?.[kind])) total.set(name, amount);
  const extra = Object.entries(overhead).filter(([name]) => kind === 'requests' || total.has(name));
  return sum(total, amounts(Object.fromEntries(extra)));
}

/** What a pod takes of a node: its requests, and a place among the node's pods. */
export function footprint(pod: Pod): Resources {
  return new Map([...podResources(pod, 'requests'), ['pods', onePod]]);
}

/** When a container runs: `init` until it ends, `sidecar` from then on, `main` after all of `init`. */
export type ContainerRole = 'init' | 'sidecar' | 'main';

export function roleOf({ restartPolicy }: Container, isInit: boolean): ContainerRole {
  if (!isInit) return 'main';
  return restartPolicy === 'Always' ? 'sidecar' : 'init';
}

/**
 * What containers come to that may run at the same time: those of `main` and sidecars together, or the largest init
 * container with the sidecars before it, whichever is more (KEP-753).
 */
export function podTotal(parts: Iterable<{ readonly role: ContainerRole; readonly amount: bigint }>): bigint {
  let main = 0n;
  let sidecars = 0n;
  let init = 0n;
  for (const { role, amount } of parts) {
    if (role === 'main') main += amount;
    else if (role === 'sidecar') sidecars += amount;
    else if (sidecars + amount > init) init = sidecars + amount;
  }
  return main + sidecars > init ? main + sidecars : init;
}

/** A limit without a request requests the limit; the API server fills that in, and pods from elsewhere are read the same way. */
function containerResources(container: Container, kind: ResourceKind): Resources {
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
