import { type Refusal, refusal } from '../review/refusal.ts';
import type { Amounts, Exact, Offer } from './rule-sets.ts';
import { formatCpu, formatMemory, type Size } from './size.ts';
import type { WrittenContainer } from './written.ts';

/** What is wrong with the size of a pod; empty: it can be had. */
export function notOffered({ milliCpu, memoryBytes }: Size, offer: Offer): readonly Refusal[] {
  const refusals = [
    ...notAmong(milliCpu, offer.milliCpu, 'cpu', formatCpu),
    ...notAmong(memoryBytes, offer.memoryBytes, 'memory', formatMemory),
  ];
  if (refusals.length > 0) return refusals;
  const { min, max } = offer.bytesPerCpu;
  if (memoryBytes * 1000n >= min * milliCpu && memoryBytes * 1000n <= max * milliCpu) return [];
  const size = `it has ${formatMemory(memoryBytes)} for ${formatCpu(milliCpu)} CPU`;
  return [refusal('ratio-not-offered', 'spec.containers', size)];
}

/** A pod as a whole. */
export interface Whole {
  readonly total: Size;
  /** That run besides its own. */
  readonly addedContainers: number;
}

/** Containers and sidecars, beyond those that a pod can have. */
export function tooMany(
  containers: readonly WrittenContainer[],
  { maxContainers }: Pick<Exact, 'maxContainers'>,
  addedContainers: number,
): readonly Refusal[] {
  const together = containers.filter(({ role }) => role !== 'init').length;
  if (together + addedContainers <= maxContainers) return [];
  const added = addedContainers === 0 ? '' : ' and the link agent';
  return [
    refusal('too-many-containers', 'spec.containers', `it has ${together}${added}, and the limit is ${maxContainers}`),
  ];
}

/** What of a pod is not as it must be where nothing is adjusted. */
export function exactRefusals(
  containers: readonly WrittenContainer[],
  { total, addedContainers }: Whole,
  rules: Exact,
): readonly Refusal[] {
  const { cpuStep, minMemoryBytes } = rules.container;
  return [
    ...tooMany(containers, rules, addedContainers),
    ...containers.flatMap((container) => {
      const { milliCpu, memoryBytes } = container.size;
      const field = `${container.field}.resources`;
      if (requestsDiffer(container)) return [refusal('requests-differ', field)];
      return milliCpu > 0n && milliCpu % cpuStep === 0n && memoryBytes >= minMemoryBytes
        ? []
        : [refusal('container-size-not-offered', field, `${formatCpu(milliCpu)} CPU and ${formatMemory(memoryBytes)}`)];
    }),
    ...notOffered(total, rules),
  ];
}

/** A limit alone is a request as well: the API server fills that in. */
function requestsDiffer({ requests, limits }: WrittenContainer): boolean {
  return (['milliCpu', 'memoryBytes'] as const).some(
    (key) => requests[key] !== undefined && requests[key] !== limits[key],
  );
}

function notAmong(
  amount: bigint,
  { step, max, more }: Amounts,
  resource: 'cpu' | 'memory',
  format: (amount: bigint) => string,
): readonly Refusal[] {
  if ((amount >= step && amount <= max && amount % step === 0n) || more.includes(amount)) return [];
  const code =
    amount > (more.at(-1) ?? max) ? (`${resource}-too-large` as const) : (`${resource}-not-offered` as const);
  const others = more.length === 0 ? '' : ` or ${more.map(format).join(', ')}`;
  const offered = `${format(step)} to ${format(max)} in steps of ${format(step)}${others}`;
  return [refusal(code, 'spec.containers', `it needs ${format(amount)}, and the pool offers ${offered}`)];
}
