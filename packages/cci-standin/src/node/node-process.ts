import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage, RegionError } from '../errors.ts';

const startLimitMs = 120_000;
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

  /** @throws RegionError with the end of its log, when it ends before it is ready or is not ready in two minutes */
  async start(isReady: () => Promise<boolean>, signal?: AbortSignal): Promise<void> {
    const deadline = Date.now() + startLimitMs;
    let trouble: string | undefined;
    const ended = this.#run();
    void ended.then((why) => (trouble = why));
    while (!(await isReady())) {
      signal?.throwIfAborted();
      if (Date.now() > deadline) trouble ??= 'it is not ready after two minutes';
      if (trouble !== undefined) {
        throw new RegionError(`the region's node does not start: ${trouble}\n${await tail(this.#options.log)}`);
      }
      await delay(100);
    }
    this.#running = this.#restartAfter(ended);
  }

  /** Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#child?.kill('SIGKILL');
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
      await once(child, 'exit');
      return child.signalCode ?? `exit code ${child.exitCode}`;
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
