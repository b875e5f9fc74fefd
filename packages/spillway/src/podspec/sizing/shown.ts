import { sizeAnnotationNames } from '../contract.ts';
import type { Notice } from '../notice.ts';
import { ceilDivide, parseQuantity } from '../quantities.ts';
import { type RuleSet, ruleSets } from './rule-sets.ts';
import type { Addition, Sized } from './size-pod.ts';
import { formatCpu, formatMemory, mi, type Size } from './size.ts';

// How people see the size of a pod.

export type Annotations = Readonly<Record<string, string>>;

const none: Annotations = {};

/** In the form that the CCE add-on writes: `0.5u` of CPU, `1Gi` of memory. */
export function sizeAnnotations(sized: Sized | undefined): Annotations {
  if (sized === undefined) return none;
  const { milliCpu, memoryBytes } = sized.pod;
  return {
    [sizeAnnotationNames.cpu]: `${cpus(milliCpu)}u`,
    [sizeAnnotationNames.memory]: formatMemory(memoryBytes),
  };
}

/** For people: `0.5 CPU, 1 GiB`. */
export function sizeText({ milliCpu, memoryBytes }: Size): string {
  return `${cpus(milliCpu)} CPU, ${readable(memoryBytes).replace(/(\d)([KMG]i)?$/, (_, digit: string, unit = '') => `${digit} ${unit}B`)}`;
}

/**
 * {@link sizeText} of what is written as quantities, or of CPU as the CCE add-on writes it: `0.5u`. What is no amount is
 * shown as it is.
 */
export function quantitiesText({ cpu, memory }: { readonly cpu: string; readonly memory: string }): string {
  const [cpuNano, memoryNano] = [parseQuantity(cpu.replace(/u$/, '')), parseQuantity(memory)];
  if (!cpuNano.ok || !memoryNano.ok) return `${cpu} CPU, ${memory}`;
  return sizeText({
    milliCpu: ceilDivide(cpuNano.nano, 1_000_000n),
    memoryBytes: ceilDivide(memoryNano.nano, 1_000_000_000n),
  });
}

/** One event when the pod runs larger than it was written: what was added, to whom and why. */
export function sizeNotices({ ruleSet, pod, written, added }: Sized): readonly Notice[] {
  if (added.length === 0) return [];
  const message = [
    `The pod runs with ${amounts(pod)} instead of the specified ${amounts(written)}.`,
    ...added.map(
      (addition) =>
        `${addition.container === undefined ? 'The pod' : `Container ${addition.container}`} got ${amounts(addition)} more: ${reason(addition.because, ruleSets[ruleSet])}.`,
    ),
  ].join(' ');
  return [{ severity: 'Normal', reason: 'SizeAdjusted', message }];
}

function reason(because: Addition['because'], rules: RuleSet): string {
  if (rules.kind !== 'rounded') return 'this is the next available size';
  if (because === 'container' && rules.container) {
    const { cpuStep, minMemoryBytes } = rules.container;
    return `containers have cpu in steps of ${formatCpu(cpuStep)} and at least ${readable(minMemoryBytes)} of memory`;
  }
  const { milliCpu, memoryBytes, bytesPerCpu } = rules;
  return `pods have cpu in steps of ${formatCpu(milliCpu.step)}, memory in steps of ${readable(memoryBytes.step)}, and ${readable(bytesPerCpu.min)} to ${readable(bytesPerCpu.max)} of memory for each CPU`;
}

/** Without what is nothing: `cpu 250m, memory 1Gi`. */
function amounts({ milliCpu, memoryBytes }: Size): string {
  const parts = [
    ...(milliCpu > 0n ? [`cpu ${formatCpu(milliCpu)}`] : []),
    ...(memoryBytes > 0n ? [`memory ${readable(memoryBytes)}`] : []),
  ];
  return parts.join(', ');
}

/** Exact where that is short, else to a tenth of a Mi. */
function readable(bytes: bigint): string {
  if (bytes < mi || bytes % mi === 0n) return formatMemory(bytes);
  const tenths = (bytes * 10n + mi / 2n) / mi;
  return `${tenths / 10n}.${tenths % 10n}Mi`;
}

/** Decimal, without trailing zeros. */
function cpus(milliCpu: bigint): string {
  const fraction = String(milliCpu % 1000n)
    .padStart(3, '0')
    .replace(/0+$/, '');
  return `${milliCpu / 1000n}${fraction === '' ? '' : `.${fraction}`}`;
}
