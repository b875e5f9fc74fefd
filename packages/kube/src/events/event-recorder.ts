import { type Clock, systemClock } from '../clock.ts';
import { isNotFound, isRetryable } from '../errors.ts';
import type { ObjectReference } from '../generated/index.ts';
import { events } from '../generated/resources.ts';
import { type Logger, silentLogger } from '../logger.ts';
import { refOf } from '../meta.ts';
import { WorkQueue } from '../queue/work-queue.ts';
import { exponentialRateLimiter } from '../queue/rate-limiter.ts';
import type { ObjectRef } from '../resource-type.ts';
import { TokenBucket } from '../token-bucket.ts';
import type { KubeClient } from '../transport/client.ts';
import type { LaneName } from '../transport/lanes.ts';
import {
  type EventContent,
  eventObject,
  type ObjectReferenceLike,
  type Occurrence,
  occurrenceKey,
  referenceTo,
  timesOf,
} from './event-object.ts';
import { LruMap } from '../lru.ts';

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  /** "kubelet", "spillway": who says it */
  readonly component: string;
  /** The node it is said from */
  readonly host?: string | undefined;
  /** Default: "events" */
  readonly lane?: LaneName | undefined;
  /** Distinct events that may wait to be written; more are dropped. Default: 1000 */
  readonly queueLimit?: number | undefined;
  /** Normal events wait as long as it says so, for half a minute at most. Default: never */
  readonly isBusy?: (() => boolean) | undefined;
  /** Asked about Normal events that have waited for ten seconds: nobody looks at the object any more. Default: never */
  readonly isGone?: ((object: ObjectReference) => boolean) | undefined;
  /** How long `close` may take. Default: 5 s */
  readonly flushTimeoutMs?: number | undefined;
  /** For each event that is given up: queue full, object noisy, object gone, refused by the server */
  readonly onDropped?: ((why: DropReason) => void) | undefined;
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
}

export type DropReason = 'full' | 'noisy' | 'gone' | 'refused';

interface Written extends Pick<Occurrence, 'firstAt' | 'count'> {
  readonly ref: ObjectRef;
}

/** For each type of event. */
const writers = 2;
const tries = 12;
const lookMs = 200;
const longestWaitMs = 30_000;
const staleMs = 10_000;
// client-go's limits for one object (tools/record/events_cache.go); here for each reason, so that a probe that fails every second does not use up what another reason needs
const burst = 25;
const ratePerSecond = 1 / 300;
const remembered = 4096;

/** Writes core/v1 Events in the background. Repeats become one Event with a count; what an object says again and again is slowed down, reason by reason. Warnings do not wait for Normal events. */
export class EventRecorder implements AsyncDisposable {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #pending = new Map<string, Occurrence>();
  /** Events that exist on the server, with what they say */
  readonly #written = new LruMap<string, Written>(remembered);
  readonly #allowance = new LruMap<string, TokenBucket>(remembered);
  readonly #normal: WorkQueue<string>;
  readonly #warnings: WorkQueue<string>;
  readonly #stop = new AbortController();
  readonly #working: Promise<unknown>;
  #serial = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    const queue = (): WorkQueue<string> =>
      new WorkQueue({ rateLimiter: exponentialRateLimiter({ firstMs: 500, maxMs: 30_000 }), clock: this.#clock });
    this.#normal = queue();
    this.#warnings = queue();
    this.#working = Promise.all(
      [this.#normal, this.#warnings].flatMap((each) => Array.from({ length: writers }, () => this.#work(each))),
    );
  }

  /** Never throws and never waits. */
  record(object: ObjectReferenceLike, content: EventContent): void {
    try {
      const involvedObject = referenceTo(object, content.fieldPath);
      const now = this.#clock.now();
      this.#enqueue({ involvedObject, content, firstAt: now, lastAt: now, count: 1 });
    } catch (error) {
      this.#logger.warn({ err: error, reason: content.reason }, 'an event could not be recorded');
    }
  }

  /** Writes what was recorded, for as long as the flush may take. May be called twice. */
  async close(): Promise<void> {
    const enough = new AbortController();
    const drained = Promise.all([this.#normal.shutDownWithDrain(), this.#warnings.shutDownWithDrain()]);
    await Promise.race([drained, this.#clock.sleep(this.#options.flushTimeoutMs ?? 5_000, enough.signal)]);
    enough.abort();
    this.#stop.abort();
    await this.#working;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #enqueue(occurrence: Occurrence): void {
    const key = occurrenceKey(occurrence);
    const waiting = this.#pending.get(key);
    if (waiting !== undefined) {
      waiting.count += occurrence.count;
      waiting.lastAt = occurrence.lastAt;
      return;
    }
    const queue = this.#queueOf(occurrence);
    if (queue.shuttingDown || this.#pending.size >= (this.#options.queueLimit ?? 1000)) {
      this.#drop('full', occurrence);
    } else if (this.#noisy(occurrence)) {
      this.#drop('noisy', occurrence);
    } else {
      this.#pending.set(key, occurrence);
      queue.add(key);
    }
  }

  #queueOf({ content: { type } }: Occurrence): WorkQueue<string> {
    return type === 'Warning' ? this.#warnings : this.#normal;
  }

  #noisy({ involvedObject: { kind, namespace, name, uid }, content: { reason } }: Occurrence): boolean {
    const speaker = [kind, namespace, name, uid, reason].join('\n');
    const now = this.#clock.now();
    let bucket = this.#allowance.get(speaker);
    if (bucket === undefined) {
      bucket = new TokenBucket({ rate: ratePerSecond, burst, now });
      this.#allowance.set(speaker, bucket);
    }
    return bucket.take(now) > 0;
  }

  #drop(why: DropReason, { involvedObject, content }: Occurrence, error?: unknown): void {
    this.#logger.debug({ involvedObject, reason: content.reason, why, err: error }, 'event dropped');
    this.#options.onDropped?.(why);
  }

  async #work(queue: WorkQueue<string>): Promise<void> {
    for (;;) {
      const key = await queue.get(this.#stop.signal);
      if (key === undefined) return;
      if (queue === this.#normal) await this.#quiet();
      const occurrence = this.#pending.get(key);
      this.#pending.delete(key);
      try {
        if (occurrence !== undefined && this.#isStale(occurrence)) this.#drop('gone', occurrence);
        else if (occurrence !== undefined) await this.#write(key, occurrence);
        queue.forget(key);
      } catch (error) {
        if (occurrence !== undefined) this.#failed(key, occurrence, error);
      } finally {
        queue.done(key);
      }
    }
  }

  async #quiet(): Promise<void> {
    const { isBusy = () => false } = this.#options;
    const deadline = this.#clock.now() + longestWaitMs;
    while (isBusy() && !this.#normal.shuttingDown && this.#clock.now() < deadline) {
      await this.#clock.sleep(lookMs, this.#stop.signal);
    }
  }

  #isStale({ content, involvedObject, lastAt }: Occurrence): boolean {
    if (content.type === 'Warning' || this.#clock.now() - lastAt < staleMs) return false;
    return this.#options.isGone?.(involvedObject) === true;
  }

  #failed(key: string, occurrence: Occurrence, error: unknown): void {
    const queue = this.#queueOf(occurrence);
    if (!isRetryable(error) || queue.shuttingDown || queue.tries(key) >= tries) {
      queue.forget(key);
      this.#drop('refused', occurrence, error);
      return;
    }
    // What was recorded meanwhile happened later.
    const later = this.#pending.get(key);
    if (later !== undefined) {
      occurrence.count += later.count;
      occurrence.lastAt = later.lastAt;
    }
    this.#pending.set(key, occurrence);
    queue.addRateLimited(key);
  }

  async #write(key: string, occurrence: Occurrence): Promise<void> {
    const resource = this.#options.client.resource(events);
    const call = { lane: this.#options.lane ?? 'events', signal: this.#stop.signal };
    const before = this.#written.get(key);
    let total = occurrence;
    if (before !== undefined) {
      const { firstAt, count } = before;
      total = { ...occurrence, firstAt, count: count + occurrence.count };
      try {
        await resource.patch(before.ref, { type: 'merge', body: timesOf(total) }, call);
        this.#written.set(key, { ref: before.ref, firstAt, count: total.count });
        return;
      } catch (error) {
        // Events expire, after an hour by default.
        if (!isNotFound(error)) throw error;
        this.#written.delete(key);
      }
    }
    const event = eventObject(total, this.#options, this.#unique());
    await resource.create(event, call);
    this.#written.set(key, { ref: refOf(event), firstAt: total.firstAt, count: total.count });
  }

  /** Nanoseconds in hexadecimal, as client-go names events. */
  #unique(): string {
    this.#serial = (this.#serial + 1) % 1_000_000;
    return (BigInt(this.#clock.now()) * 1_000_000n + BigInt(this.#serial)).toString(16);
  }
}
