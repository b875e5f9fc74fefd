import { gi } from './size.ts';

// The sizes in which pods can be had, as data. What the rules do with a pod is in size-pod.ts, why they are so in
// docs/sizing.md.

export const ruleSetNames = ['none', 'cci', 'cci-legacy', 'cci-compact', 'cci2'] as const;
export type RuleSetName = (typeof ruleSetNames)[number];

export type RuleSet = AsWritten | Rounded | Exact | Flavours;

/** Nothing is checked and nothing changed. */
interface AsWritten {
  readonly kind: 'asWritten';
}

/** The pod is raised to the next size that there is. */
export interface Rounded extends Offer {
  readonly kind: 'rounded';
  /** Each container that is not BestEffort is raised first. */
  readonly container?: ContainerRule;
  readonly maxContainers: number;
}

/** The pod must have a size that there is. */
export interface Exact extends Offer {
  readonly kind: 'exact';
  readonly container: ContainerRule;
  readonly maxContainers: number;
}

/** The pod gets the next entry of a table; its containers stay as they were written. */
export interface Flavours {
  readonly kind: 'flavours';
  /** With growing CPU; memory grows too, also from the largest of one entry to the largest of the next. */
  readonly table: readonly { readonly milliCpu: bigint; readonly memoryBytes: readonly bigint[] }[];
}

/** Which sizes of a pod there are. */
export interface Offer {
  readonly milliCpu: Amounts;
  readonly memoryBytes: Amounts;
  /** Memory for each CPU. */
  readonly bytesPerCpu: { readonly min: bigint; readonly max: bigint };
}

/** Multiples of `step` from `step` to `max`, and some larger ones. */
export interface Amounts {
  readonly step: bigint;
  readonly max: bigint;
  readonly more: readonly bigint[];
}

export interface ContainerRule {
  readonly cpuStep: bigint;
  readonly minMemoryBytes: bigint;
}

/**
 * That run at the same time: init containers that end do not count. CCI 1.0, "Notes and Constraints": five. CCI 2.0 names no
 * such limit.
 */
const maxContainers = 5;
const quarterCpu = 250n;
/** 0.2 Gi in whole bytes. */
const fifthOfGi = (gi + 4n) / 5n;
const container: ContainerRule = { cpuStep: quarterCpu, minMemoryBytes: fifthOfGi };
const bytesPerCpu = { min: 2n * gi, max: 8n * gi };

export const ruleSets: Readonly<Record<RuleSetName, RuleSet>> = {
  none: { kind: 'asWritten' },
  // CCE user guide cce_10_0295
  cci: {
    kind: 'rounded',
    container,
    maxContainers,
    milliCpu: { step: quarterCpu, max: 32_000n, more: [] },
    memoryBytes: { step: gi, max: 256n * gi, more: [] },
    bytesPerCpu,
  },
  // CCE user guide cce_01_0135
  'cci-legacy': {
    kind: 'exact',
    container,
    maxContainers,
    milliCpu: { step: quarterCpu, max: 32_000n, more: [48_000n, 64_000n] },
    memoryBytes: { step: gi, max: 512n * gi, more: [] },
    bytesPerCpu,
  },
  // CCI user guide cci_01_0117
  'cci-compact': {
    kind: 'rounded',
    maxContainers,
    milliCpu: { step: quarterCpu, max: 32_000n, more: [48_000n, 64_000n] },
    memoryBytes: { step: gi, max: 256n * gi, more: [384n * gi, 512n * gi] },
    bytesPerCpu,
  },
  // CCI user guide cci_01_0058
  cci2: {
    kind: 'flavours',
    table: [
      { milliCpu: 250n, memoryBytes: [gi / 2n, gi, 2n * gi] },
      { milliCpu: 500n, memoryBytes: [gi / 2n, ...steps(1n, 4n, 1n)] },
      { milliCpu: 1000n, memoryBytes: steps(1n, 8n, 1n) },
      { milliCpu: 2000n, memoryBytes: steps(2n, 16n, 1n) },
      { milliCpu: 4000n, memoryBytes: steps(4n, 32n, 1n) },
      { milliCpu: 8000n, memoryBytes: steps(8n, 64n, 4n) },
      { milliCpu: 16_000n, memoryBytes: steps(16n, 128n, 8n) },
      { milliCpu: 32_000n, memoryBytes: [32n * gi, 64n * gi, 128n * gi, 256n * gi] },
      { milliCpu: 48_000n, memoryBytes: [96n * gi, 192n * gi, 384n * gi] },
      { milliCpu: 64_000n, memoryBytes: [128n * gi, 256n * gi, 512n * gi] },
    ],
  },
};

/** In Gi. */
function steps(from: bigint, to: bigint, by: bigint): bigint[] {
  return Array.from({ length: Number((to - from) / by) + 1 }, (_, index) => (from + BigInt(index) * by) * gi);
}
