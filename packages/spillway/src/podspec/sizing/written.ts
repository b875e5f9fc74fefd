import type { Container, PodSpec } from '@spillway/kube';
import { millis, type Nano, parseQuantity, units } from '../quantities.ts';
import { type ContainerRole, roleOf } from '../resources.ts';
import { type Refusal, refusal } from '../review/refusal.ts';
import type { Size } from './size.ts';

/** A container with its amounts as they were written. */
export interface WrittenContainer {
  readonly name: string;
  readonly role: ContainerRole;
  /** E.g. `spec.containers[0]`. */
  readonly field: string;
  readonly requests: PartialSize;
  readonly limits: PartialSize;
  /** For each of the two amounts the limit, else the request, else nothing. */
  readonly size: Size;
}

/** An amount that was not written is not there. */
export interface PartialSize {
  readonly milliCpu?: bigint;
  readonly memoryBytes?: bigint;
}

export interface Written {
  /** In the order of the specification; init containers after the others, because they end. */
  readonly containers: readonly WrittenContainer[];
  /** What the pod as a whole sets (KEP-2837). */
  readonly pod: PartialSize;
  /** Amounts that are none. */
  readonly refusals: readonly Refusal[];
}

type ResourceFields = Pick<Container, 'resources'>;

export function readSizes(spec: PodSpec): Written {
  const refusals: Refusal[] = [];
  const read = ({ resources }: ResourceFields, field: string): Omit<WrittenContainer, 'name' | 'role'> => {
    const amounts = (kind: 'requests' | 'limits'): PartialSize => {
      const nano = (name: 'cpu' | 'memory'): Nano | undefined =>
        amountOf(resources?.[kind]?.[name], `${field}.resources.${kind}.${name}`, refusals);
      const [cpu, memory] = [nano('cpu'), nano('memory')];
      return {
        ...(cpu === undefined ? {} : { milliCpu: millis(cpu) }),
        ...(memory === undefined ? {} : { memoryBytes: units(memory) }),
      };
    };
    const [requests, limits] = [amounts('requests'), amounts('limits')];
    return { field, requests, limits, size: { milliCpu: 0n, memoryBytes: 0n, ...requests, ...limits } };
  };
  const containers = (['containers', 'initContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, index) => ({
      name: container.name,
      role: roleOf(container, list === 'initContainers'),
      ...read(container, `spec.${list}[${index}]`),
    })),
  );
  const pod = read(spec, 'spec');
  return { containers, pod: { ...pod.requests, ...pod.limits }, refusals };
}

/** @param text from the cluster, where it was validated, or from a file, where it may be anything */
function amountOf(text: unknown, field: string, refusals: Refusal[]): Nano | undefined {
  if (text === undefined || text === null) return undefined;
  if (typeof text !== 'string' && typeof text !== 'number') {
    refusals.push(refusal('quantity-unusable', field, `it is of type ${typeof text}`));
    return undefined;
  }
  const parsed = parseQuantity(text);
  if (parsed.ok && parsed.nano >= 0n) return parsed.nano;
  refusals.push(refusal('quantity-unusable', field, parsed.ok ? `"${text}" is less than zero` : parsed.error));
  return undefined;
}
