import type { Container, Pod, PodSpec } from '@spillway/kube';
import { sizePod, type Sized } from '../sizing/size-pod.ts';
import type { RuleSetName } from '../sizing/rule-sets.ts';
import { formatCpu, formatMemory, type Size } from '../sizing/size.ts';

/**
 * Containers in short: `A 300m/300Mi`, cpu before memory, `-` for what is not there; with `limits, requests` when the two
 * differ: `1/1Gi, 500m/512Mi`. Joined by ` + `. `init` and `sidecar` before a name say what it is.
 */
export function specOf(text: string): PodSpec {
  const spec = { containers: new Array<Container>(), initContainers: new Array<Container>() };
  for (const part of text.split(' + ')) {
    const [, role, name = 'app', amounts = ''] = /^(?:(init|sidecar) )?(?:([^ /]+) )?(.*)$/.exec(part) ?? [];
    const [limits, requests] = amounts.split(', ').map(amountsOf);
    const resources = limits && { limits, requests: requests ?? limits };
    const container: Container = { name, ...(resources && { resources }) };
    if (role === 'sidecar') container.restartPolicy = 'Always';
    spec[role === undefined ? 'containers' : 'initContainers'].push(container);
  }
  return spec;
}

/** The size of the pod and of its containers, or the codes of the refusals. */
export function sizeInShort(spec: PodSpec, rules: RuleSetName): string {
  const sizing = sizePod(spec, rules);
  if (sizing.kind === 'refused') return `refused: ${sizing.refusals.map(({ code }) => code).join(', ')}`;
  const containers = sizing.containers.map((container) => `${container.name} ${short(container)}`);
  return `${short(sizing.pod)}: ${containers.join(' + ')}`;
}

/** @throws when the pod cannot be sized */
export function sized({ spec }: Pod, rules: RuleSetName): Sized {
  const sizing = sizePod(spec ?? { containers: [] }, rules);
  if (sizing.kind === 'refused') throw new Error(sizing.refusals[0]?.message);
  return sizing;
}

function short({ milliCpu, memoryBytes }: Size): string {
  return `${formatCpu(milliCpu)}/${formatMemory(memoryBytes)}`;
}

function amountsOf(text: string): Record<string, string> {
  const [cpu = '-', memory = '-'] = text.split('/');
  return { ...(cpu !== '-' && { cpu }), ...(memory !== '-' && { memory }) };
}
