import type { Container } from '@spillway/kube';
import { containersOf } from '../../podspec/containers.ts';
import { type Nano, nanoOf } from '../../podspec/quantities.ts';
import type { ContainerUsage, InstanceUsage } from '../backend.ts';
import type { ResolvedSimulatedOptions } from './options.ts';
import { type ContainerLoad, isLike } from './scenario.ts';
import type { SimulatedPod } from './simulated-pod.ts';

/** What containers use that request nothing and of which the scenario says nothing. */
const little = { cpu: nanoOf('10m'), memory: nanoOf('16Mi') } as const;

const minuteMs = 60_000;

/**
 * The newest measurement of a pod: all of a region are taken at the same times, and always come out the same. Undefined: none
 * was taken since a container of it was started.
 */
export function simulatedUsage(
  { workload, instance }: Pick<SimulatedPod, 'workload' | 'instance'>,
  { measuredEveryMs, loads }: Pick<ResolvedSimulatedOptions, 'measuredEveryMs' | 'loads'>,
  nowMs: number,
): InstanceUsage | undefined {
  const { uid, name } = workload.ref;
  const atMs = Math.floor(nowMs / measuredEveryMs) * measuredEveryMs;
  const statuses = [...instance.initContainerStatuses, ...instance.containerStatuses];
  const starts = new Map(statuses.map((each) => [each.name, Date.parse(each.state?.running?.startedAt ?? '')]));
  const containers = containersOf(workload.pod).flatMap(({ container }): ContainerUsage[] => {
    const ageMs = atMs - (starts.get(container.name) ?? Number.NaN);
    if (!(ageMs > 0)) return [];
    const load = loads.find((each) => isLike(name, each.pods ?? '*') && isLike(container.name, each.containers ?? '*'));
    // The average of the window is what it was in its middle.
    const cpuAgeMs = ageMs - Math.min(measuredEveryMs, ageMs) / 2;
    return [
      {
        name: container.name,
        cores: used('cpu', container, load?.cpu, load?.cpuPerMinute, cpuAgeMs),
        memoryBytes: Math.round(used('memory', container, load?.memory, load?.memoryPerMinute, ageMs)),
      },
    ];
  });
  return containers.length === 0 ? undefined : { uid, atMs, windowMs: measuredEveryMs, containers };
}

function used(
  resource: 'cpu' | 'memory',
  { resources }: Container,
  first: ContainerLoad['cpu'],
  perMinute: ContainerLoad['cpuPerMinute'],
  ageMs: number,
): number {
  const requested: Nano = nanoOf(resources?.requests?.[resource]);
  const usual = requested > 0n ? requested / 2n : little[resource];
  const grown = plain(first === undefined ? usual : nanoOf(first)) + (plain(nanoOf(perMinute)) * ageMs) / minuteMs;
  const limit = resources?.limits?.[resource];
  return limit === undefined ? grown : Math.min(grown, plain(nanoOf(limit)));
}

const plain = (nano: Nano): number => Number(nano) / 1e9;
