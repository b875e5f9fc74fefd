import { ceilDivide, formatQuantity } from '../quantities.ts';

/** An amount of compute, exact: thousandths of a CPU and bytes. */
export interface Size {
  readonly milliCpu: bigint;
  readonly memoryBytes: bigint;
}

export const nothing: Size = { milliCpu: 0n, memoryBytes: 0n };

export const mi: bigint = 2n ** 20n;
export const gi: bigint = 2n ** 30n;
const suffixes = [
  ['Gi', gi],
  ['Mi', mi],
  ['Ki', 2n ** 10n],
] as const;

export function plus(a: Size, b: Size): Size {
  return { milliCpu: a.milliCpu + b.milliCpu, memoryBytes: a.memoryBytes + b.memoryBytes };
}

/** `b` is at most `a`. */
export function minus(a: Size, b: Size): Size {
  return { milliCpu: a.milliCpu - b.milliCpu, memoryBytes: a.memoryBytes - b.memoryBytes };
}

export function isNothing({ milliCpu, memoryBytes }: Size): boolean {
  return milliCpu === 0n && memoryBytes === 0n;
}

/** The next multiple of `step`. */
export function ceilTo(amount: bigint, step: bigint): bigint {
  return ceilDivide(amount, step) * step;
}

/** A quantity: `2`, `500m`. */
export function formatCpu(milliCpu: bigint): string {
  return formatQuantity(milliCpu * 1_000_000n);
}

/** A quantity, with the largest binary suffix that loses nothing: `1Gi`, `512Mi`, `214748365`. */
export function formatMemory(bytes: bigint): string {
  const [suffix, unit] = (bytes === 0n ? undefined : suffixes.find(([, size]) => bytes % size === 0n)) ?? ['', 1n];
  return `${bytes / unit}${suffix}`;
}
