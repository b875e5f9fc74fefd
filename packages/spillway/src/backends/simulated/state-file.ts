import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Owner, Workload } from '../backend.ts';
import { BackendError } from '../backend.ts';
import { parseJson } from '../trusted.ts';
import { decodeWorkload, encodeWorkload } from './workload-codec.ts';
import type { PodRecord } from './simulated-pod.ts';

export interface KeptPod {
  readonly workload: Workload;
  readonly record: PodRecord;
  readonly owner: Owner;
}

/** Keeps what is pretended, so that the next process pretends the same. Changes that come together are written once. */
export class StateFile {
  readonly #path: string | undefined;
  readonly #current: () => readonly KeptPod[];
  /** The write that has not begun: it writes whatever is current then. */
  #next: Promise<void> | undefined;
  #newest: Promise<void> = Promise.resolve();

  /** @param path absent: nothing is kept. */
  constructor(path: string | undefined, current: () => readonly KeptPod[]) {
    this.#path = path;
    this.#current = current;
  }

  async load(): Promise<readonly KeptPod[]> {
    if (this.#path === undefined) return [];
    try {
      const kept = parseJson<readonly (Omit<KeptPod, 'workload'> & { workload: string })[]>(
        await readFile(this.#path, 'utf8'),
      );
      return kept.map(({ workload, record, owner }) => ({ workload: decodeWorkload(workload), record, owner }));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw new BackendError('internal', `state file ${this.#path} cannot be read`, { cause: error });
    }
  }

  /** Writes what is current, soon. Settles when it is written. */
  async save(): Promise<void> {
    if (this.#path === undefined) return;
    if (this.#next === undefined) {
      this.#next = this.#writeAfter(this.#newest, this.#path);
      this.#newest = this.#next;
    }
    await this.#next;
  }

  async #writeAfter(before: Promise<void>, path: string): Promise<void> {
    await before.catch(() => {});
    this.#next = undefined;
    const kept = this.#current().map(({ workload, ...rest }) => ({ workload: encodeWorkload(workload), ...rest }));
    await writeFile(`${path}.new`, JSON.stringify(kept), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}
