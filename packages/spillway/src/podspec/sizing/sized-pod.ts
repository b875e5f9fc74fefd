import type { Container, Pod } from '@spillway/kube';
import { ruleSets } from './rule-sets.ts';
import { type ContainerSize, type Sized } from './size-pod.ts';
import { formatCpu, formatMemory } from './size.ts';

/**
 * The pod as a backend runs it: requests and limits of each container are what it was sized to. The same pod where sizes
 * leave the containers as they were written.
 */
export function asSized(pod: Pod, { ruleSet, containers }: Sized): Pod {
  const { kind } = ruleSets[ruleSet];
  if (pod.spec === undefined || kind === 'asWritten' || kind === 'flavours') return pod;
  const byField = new Map(containers.map((size) => [size.field, size]));
  const resize = (list: 'containers' | 'initContainers'): Container[] =>
    (pod.spec?.[list] ?? []).map((container, index) => withSize(container, byField.get(`spec.${list}[${index}]`)));
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: resize('containers'),
      ...(pod.spec.initContainers && { initContainers: resize('initContainers') }),
    },
  };
}

/** A BestEffort container stays one, without amounts of zero; other resources than cpu and memory are not sized. */
function withSize(container: Container, size: ContainerSize | undefined): Container {
  if (size === undefined || container.resources === undefined) return container;
  const own: Record<string, string> = {
    ...(size.milliCpu > 0n && { cpu: formatCpu(size.milliCpu) }),
    ...(size.memoryBytes > 0n && { memory: formatMemory(size.memoryBytes) }),
  };
  const sized = (amounts: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const { cpu: _, memory: __, ...others } = amounts;
    return { ...others, ...own };
  };
  const { requests, limits } = container.resources ?? {};
  return { ...container, resources: { ...container.resources, requests: sized(requests), limits: sized(limits) } };
}
