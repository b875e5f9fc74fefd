import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage, RegionError } from '../errors.ts';

const restartDelayMs = 1000;

export interface NodeProcessOptions {
  readonly launch: () => ChildProcess;
  /** Path of the file with its output */
  readonly log: string;
  readonly note: (line: string) => void;
}

/** The program of the node. When it ends by itself, it is started again after a second. */
export class NodeProcess {
  readonly #options: NodeProcessOptions;
  readonly #stop = new AbortController();
  #child: ChildProcess | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: NodeProcessOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Rejects when `ready` does, or when the program ends before. */
  async start(ready: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const settled = new AbortController();
    const ended = this.#run();
    const first = ended.then(async (why) => {
      throw new RegionError(`the region's node does not start: ${why}\n${await tail(this.#options.log)}`);
    });
    try {
      await Promise.race([ready(settled.signal), first]);
    } finally {
      settled.abort();
      first.catch(() => undefined);
    }
    this.#running = this.#restartAfter(ended);
  }

  /** Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const { pid } = this;
    // With all that it has started: an installed program starts Node.js, which is the node.
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    await this.#running;
  }

  async #restartAfter(first: Promise<string>): Promise<void> {
    for (let ended = first; ; ended = this.#run()) {
      const why = await ended;
      if (this.#stop.signal.aborted) return;
      this.#options.note(`the region's node ended: ${why}; it is started again`);
      await delay(restartDelayMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if (this.#stop.signal.aborted) return;
    }
  }

  /** Resolves with why it ended. */
  async #run(): Promise<string> {
    const child = this.#options.launch();
    this.#child = child;
    child.unref();
    try {
      const [code, signal]: unknown[] = await once(child, 'exit');
      return signal === null ? `exit code ${String(code)}` : String(signal);
    } catch (error) {
      return errorMessage(error);
    } finally {
      this.#child = undefined;
    }
  }
}

async function tail(log: string): Promise<string> {
  return (await readFile(log, 'utf8')).slice(-2000).trim();
}
