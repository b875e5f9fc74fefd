import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { Malformed } from './malformed.ts';

interface Job {
  readonly body: Buffer;
  readonly done: PromiseWithResolvers<string>;
}

type Answer = { readonly slim: string } | { readonly problem: string };

/** The worker's heap, in MiB: enough for the largest body that is read. */
const heapMb = 256;

/** Parses large bodies one after the other in a thread of its own, because nothing else of the process may wait for that. */
export class LargeBodies {
  readonly #maxSlimBytes: number;
  readonly #waiting: Job[] = [];
  #current: Job | undefined;
  #worker: Worker | undefined;

  /** @param maxSlimBytes what is left of a body and has to be parsed once more, by who answers */
  constructor(maxSlimBytes: number) {
    this.#maxSlimBytes = maxSlimBytes;
  }

  /** A thread takes a while to start, which no request shall wait for. */
  start(): void {
    this.#worker ??= this.#newWorker();
  }

  /**
   * Resolves with the text of the AdmissionReview without what its answer does not depend on.
   *
   * @throws {Malformed} 400, 413, 503 when `signal` is aborted before
   */
  async slim(body: Buffer, signal: AbortSignal): Promise<string> {
    const job = { body, done: Promise.withResolvers<string>() };
    const late = (): void => this.#giveUp(job);
    signal.addEventListener('abort', late, { once: true });
    this.#waiting.push(job);
    if (signal.aborted) late();
    this.#next();
    try {
      return await job.done.promise;
    } finally {
      signal.removeEventListener('abort', late);
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #next(): void {
    if (this.#current !== undefined) return;
    this.#current = this.#waiting.shift();
    if (this.#current === undefined) return;
    this.start();
    this.#worker?.postMessage(this.#current.body);
  }

  #newWorker(): Worker {
    // Its name ends as that of this file does: in the sources, and in what is published.
    const file = new URL(`./slim-worker${path.extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(file, { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: heapMb } });
    worker.unref();
    worker.on('message', (answer: Answer) => {
      if ('problem' in answer) return this.#settle(new Malformed(400, answer.problem));
      if (answer.slim.length <= this.#maxSlimBytes) return this.#settle(answer.slim);
      const message = `the objects have more than ${this.#maxSlimBytes} bytes without managedFields and status`;
      this.#settle(new Malformed(413, message));
    });
    worker.on('error', (cause) => {
      if (this.#worker !== worker) return;
      this.#worker = this.#newWorker();
      this.#settle(new Malformed(400, 'the AdmissionReview cannot be parsed', { cause }));
    });
    return worker;
  }

  #settle(result: string | Malformed): void {
    const job = this.#current;
    this.#current = undefined;
    if (typeof result === 'string') job?.done.resolve(result);
    else job?.done.reject(result);
    this.#next();
  }

  #giveUp(job: Job): void {
    const problem = new Malformed(503, 'larger requests came before this one');
    if (this.#current !== job) {
      const at = this.#waiting.indexOf(job);
      if (at >= 0) this.#waiting.splice(at, 1);
      job.done.reject(problem);
      return;
    }
    // It takes too long: the next one gets another thread.
    void this.#worker?.terminate();
    this.#worker = this.#newWorker();
    this.#settle(problem);
  }
}
