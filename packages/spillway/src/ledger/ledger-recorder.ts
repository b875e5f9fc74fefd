import type { Logger, PodSpec } from '@spillway/kube';
import type { Instance, InstanceRef } from '../backends/backend.ts';
import { podResources } from '../podspec/resources.ts';
import { formatQuantity } from '../podspec/quantities.ts';
import type { RuleSetName } from '../podspec/sizing/rule-sets.ts';
import { formatCpu, formatMemory } from '../podspec/sizing/size.ts';
import { sizePod } from '../podspec/sizing/size-pod.ts';
import { generationsOf, ledgerFile, readIntervals } from './files.ts';
import { Ledger } from './ledger.ts';
import { LedgerWriter } from './ledger-writer.ts';

export interface LedgerRecorderOptions {
  readonly directory: string;
  readonly pool: string;
  readonly node: string;
  readonly sizing: RuleSetName;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onWritten: (result: 'ok' | 'failed') => void;
  readonly logger: Logger;
}

/** Writes down what the instances of a pool are billed for. Pods never wait for it. */
export class LedgerRecorder {
  readonly #ledger: Ledger;
  readonly #writer: LedgerWriter;
  readonly #file: string;
  readonly #now: () => number;
  readonly #logger: Logger;

  constructor({ directory, pool, node, sizing, now, logger, ...writing }: LedgerRecorderOptions) {
    this.#now = now;
    this.#logger = logger;
    this.#file = ledgerFile(directory, pool);
    this.#ledger = new Ledger({ pool, node, sizeOf: (spec) => billedSize(spec, sizing) });
    this.#writer = new LedgerWriter({ file: this.#file, carried: () => this.#ledger.known, logger, ...writing });
  }

  /** Learns what was written before. Call it before anything is told. */
  async load(): Promise<void> {
    try {
      // Each file begins with what the one before it had left open; it may have been cut off while it was begun.
      const newest = generationsOf(this.#file).slice(-2);
      this.#ledger.remember((await readIntervals(newest)).values());
    } catch (error) {
      this.#logger.error(
        { err: error, file: this.#file },
        'cannot read the ledger; pods that have gone since the last run stay in it as running',
      );
    }
  }

  instance(instance: Instance): void {
    this.#writer.write(this.#ledger.seen(instance, this.#now()));
  }

  gone({ uid }: InstanceRef): void {
    this.#writer.write(this.#ledger.gone(uid, this.#now()));
  }

  listed({ missing }: { readonly missing: (uid: string) => boolean }): void {
    this.#writer.write(this.#ledger.listed(missing, this.#now()));
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }
}

/** What there is no size for is billed as what it requests. */
function billedSize(spec: PodSpec, sizing: RuleSetName): { cpu: string; memory: string } {
  const size = sizePod(spec, sizing);
  if (size.kind === 'sized') return { cpu: formatCpu(size.pod.milliCpu), memory: formatMemory(size.pod.memoryBytes) };
  const requests = podResources({ spec }, 'requests');
  const amount = (name: string): string => formatQuantity(requests.get(name) ?? 0n);
  return { cpu: amount('cpu'), memory: amount('memory') };
}
