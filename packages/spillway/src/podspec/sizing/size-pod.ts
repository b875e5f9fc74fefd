import type { PodSpec } from '@spillway/kube';
import { ceilDivide } from '../quantities.ts';
import { type Refusal, refusal } from '../review/refusal.ts';
import { podTotal } from '../resources.ts';
import { exactRefusals, notOffered, tooMany, type Whole } from './offer.ts';
import { type Flavours, type Offer, type Rounded, type RuleSetName, ruleSets } from './rule-sets.ts';
import { ceilTo, formatCpu, formatMemory, isNothing, minus, nothing, plus, type Size } from './size.ts';
import { readSizes, type Written, type WrittenContainer } from './written.ts';

export type Sizing = Sized | { readonly kind: 'refused'; readonly refusals: readonly Refusal[] };

export interface Sized {
  readonly kind: 'sized';
  readonly ruleSet: RuleSetName;
  /** What the pod is billed as. */
  readonly pod: Size;
  /** What its containers come to as they were written: limits where there are some, else requests. */
  readonly written: Size;
  /** All containers and init containers, with what each gets. */
  readonly containers: readonly ContainerSize[];
  /** What was added to what was written; empty: the pod runs as it was written. */
  readonly added: readonly Addition[];
}

export interface ContainerSize extends Size {
  readonly name: string;
  /** E.g. `spec.containers[0]`. */
  readonly field: string;
}

export interface Addition extends Size {
  /** `container`: the container alone was too small; `pod`: the pod as a whole was. */
  readonly because: 'container' | 'pod';
  /** Who got it; absent: the pod, whose containers share it. */
  readonly container?: string;
}

/**
 * The size in which a pod can be had. Pure, and exact for any amount; what cannot be sized is refused, never thrown.
 *
 * The pod itself is not changed: see `asSized` for what a backend runs.
 *
 * @param addedContainers that run in the pod besides its own, without requests
 */
export function sizePod(spec: PodSpec, name: RuleSetName, addedContainers = 0): Sizing {
  const written = readSizes(spec);
  if (written.refusals.length > 0) return refused(written.refusals);
  const rules = ruleSets[name];
  const total = totalOf(sizesOf(written.containers));
  if (rules.kind === 'asWritten') return sizedAs(name, written.containers, { ...total, ...written.pod });
  if (Object.keys(written.pod).length > 0) return refused([refusal('pod-resources-unsupported', 'spec.resources')]);
  if (total.milliCpu === 0n) return refused([refusal('no-cpu', 'spec.containers')]);
  switch (rules.kind) {
    case 'rounded':
      return rounded(name, rules, written, { total, addedContainers });
    case 'exact': {
      const refusals = exactRefusals(written.containers, { total, addedContainers }, rules);
      return refusals.length > 0 ? refused(refusals) : sizedAs(name, written.containers, total);
    }
    default:
      return flavoured(name, rules, written);
  }
}

/** Raises each container, then the pod; what the pod lacks goes to the first container that is not BestEffort. */
function rounded(
  ruleSet: RuleSetName,
  rules: Rounded,
  { containers }: Written,
  { total, addedContainers }: Whole,
): Sizing {
  const sizes = sizesOf(containers);
  const added: Addition[] = [];
  const add = (container: WrittenContainer, more: Size, because: Addition['because']): void => {
    if (isNothing(more)) return;
    sizes.set(container, plus(sizes.get(container) ?? nothing, more));
    added.push({ because, container: container.name, ...more });
  };
  const paying = containers.filter(({ size }) => !isNothing(size));
  if (rules.container) {
    const { cpuStep, minMemoryBytes } = rules.container;
    for (const container of paying) {
      const { milliCpu, memoryBytes } = container.size;
      const raised = {
        milliCpu: ceilTo(milliCpu, cpuStep),
        memoryBytes: memoryBytes > minMemoryBytes ? memoryBytes : minMemoryBytes,
      };
      add(container, minus(raised, container.size), 'container');
    }
  }
  const target = offeredFor(totalOf(sizes), rules);
  const refusals = [...tooMany(containers, rules, addedContainers), ...notOffered(target, rules)];
  if (refusals.length > 0) return refused(refusals);
  const [first] = paying;
  if (first) add(first, room(sizes, first, target), 'pod');
  return {
    kind: 'sized',
    ruleSet,
    pod: target,
    written: total,
    containers: containers.map((container) => containerSize(container, sizes.get(container) ?? nothing)),
    added,
  };
}

/** The next size; one beyond the largest of the regular ones stays what it is, because it may be one of the others. */
function offeredFor(total: Size, { milliCpu: cpus, memoryBytes: memories, bytesPerCpu }: Offer): Size {
  if (total.milliCpu > cpus.max || total.memoryBytes > memories.max) return total;
  let milliCpu = ceilTo(total.milliCpu, cpus.step);
  let memoryBytes = ceilTo(total.memoryBytes, memories.step);
  const least = ceilDivide(bytesPerCpu.min * milliCpu, 1000n);
  if (memoryBytes < least) memoryBytes = ceilTo(least, memories.step);
  const most = ceilDivide(memoryBytes * 1000n, bytesPerCpu.max);
  if (milliCpu < most) milliCpu = ceilTo(most, cpus.step);
  return { milliCpu, memoryBytes };
}

/**
 * By how much a container may grow until the pod comes to `target`. With an init container that is larger than the others
 * together this is more than what the pod lacks: the container gets what the pod is billed as.
 */
function room(sizes: Sizes, container: WrittenContainer, target: Size): Size {
  const total = totalOf(sizes);
  const raised = totalOf(new Map(sizes).set(container, plus(sizes.get(container) ?? nothing, target)));
  // Raised by all of `target`, the container is among those that the total counts.
  const left = (key: keyof Size): bigint => (total[key] < target[key] ? 2n * target[key] - raised[key] : 0n);
  return { milliCpu: left('milliCpu'), memoryBytes: left('memoryBytes') };
}

/** CCI 2.0: requests of all together, but no less than the largest limit; rounded up to the next entry of the table. */
function flavoured(ruleSet: RuleSetName, { table }: Flavours, { containers }: Written): Sizing {
  const requests = containers.map((each) => [each, { ...each.size, ...each.requests }] as const);
  const together = totalOf(new Map(requests));
  const largest = (key: keyof Size): bigint =>
    containers.reduce((most, { size }) => (size[key] > most ? size[key] : most), together[key]);
  const needed: Size = { milliCpu: largest('milliCpu'), memoryBytes: largest('memoryBytes') };
  for (const { milliCpu, memoryBytes: sizes } of table) {
    const memoryBytes = sizes.find((bytes) => bytes >= needed.memoryBytes);
    if (milliCpu < needed.milliCpu || memoryBytes === undefined) continue;
    const pod: Size = { milliCpu, memoryBytes };
    const more = minus(pod, needed);
    return {
      ...sizedAs(ruleSet, containers, pod),
      written: needed,
      added: isNothing(more) ? [] : [{ because: 'pod', ...more }],
    };
  }
  const most = table.at(-1);
  const tooMuchCpu = most === undefined || needed.milliCpu > most.milliCpu;
  return refused([
    tooMuchCpu
      ? refusal('cpu-too-large', 'spec.containers', `it needs ${formatCpu(needed.milliCpu)}`)
      : refusal('memory-too-large', 'spec.containers', `it needs ${formatMemory(needed.memoryBytes)}`),
  ]);
}

type Sizes = Map<WrittenContainer, Size>;

function sizesOf(containers: readonly WrittenContainer[]): Sizes {
  return new Map(containers.map((each) => [each, each.size]));
}

function totalOf(sizes: ReadonlyMap<WrittenContainer, Size>): Size {
  const total = (key: keyof Size): bigint =>
    podTotal(Array.from(sizes, ([{ role }, size]) => ({ role, amount: size[key] })));
  return { milliCpu: total('milliCpu'), memoryBytes: total('memoryBytes') };
}

function sizedAs(ruleSet: RuleSetName, containers: readonly WrittenContainer[], pod: Size): Sized {
  const sizes = containers.map((each) => containerSize(each, each.size));
  return { kind: 'sized', ruleSet, pod, written: pod, containers: sizes, added: [] };
}

function containerSize({ name, field }: WrittenContainer, size: Size): ContainerSize {
  return { name, field, ...size };
}

function refused(refusals: readonly Refusal[]): Sizing {
  return { kind: 'refused', refusals };
}
