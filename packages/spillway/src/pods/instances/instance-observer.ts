import { backoffMs } from '@spillway/kube';
import type { Backend, Instance, InstanceEvent, InstanceRef, Listing, Notice } from '../../backends/backend.ts';
import type { ListingRequests } from './listing-requests.ts';

/** What the observer tells. Called synchronously. */
export interface InstanceSink {
  /** `listedMs`: when the listing that tells it began; absent: the watch tells it. */
  instance(instance: Instance, listedMs?: number): void;
  gone(ref: InstanceRef): void;
  notice(ref: InstanceRef, notice: Notice): void;
  double(ref: InstanceRef, message: string): void;
  /**
   * A listing has ended. `instances` are told before, one by one. `missing(uid)` says whether this listing proves that
   * there was no such instance when it began.
   */
  listed(listing: ObservedListing): void;
}

export interface ObservedListing {
  readonly startedMs: number;
  readonly complete: boolean;
  readonly instances: readonly Instance[];
  missing(uid: string): boolean;
}

export interface InstanceObserverOptions {
  readonly backend: Pick<Backend, 'list' | 'watch'>;
  readonly sink: InstanceSink;
  readonly requests: ListingRequests;
  /** Resolves when the backend is prepared; nothing is listed before. */
  readonly prepared: (signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
  /** Resolves early, and does not reject, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onListed?: (result: 'complete' | 'incomplete' | 'failed', durationMs: number) => void;
  readonly onError?: (what: 'list' | 'watch', error: unknown) => void;
  /** Between two listings when the backend can watch. Default: 60,000. */
  readonly relistMs?: number;
  /** Between two listings when it cannot. Default: 5,000. */
  readonly pollMs?: number;
  /** 0 ≤ x < 1. Default: Math.random */
  readonly random?: () => number;
  /** Between two listings that were asked for. Default: 2,100. */
  readonly minimumMs?: number;
}

/**
 * Keeps watching and listing a backend. The watch is started first, so that nothing falls between it and a listing; what
 * the watch tells during a listing is newer than what the listing says, and wins.
 */
export class InstanceObserver {
  readonly #options: InstanceObserverOptions;
  /** UIDs that the watch told about since the listing under way began. */
  #changed: Set<string> | undefined;
  #completeOnce = false;

  constructor(options: InstanceObserverOptions) {
    this.#options = options;
  }

  /** There was a complete listing. */
  get completeOnce(): boolean {
    return this.#completeOnce;
  }

  /** Resolves when `signal` is aborted and all has stopped. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#options.prepared(signal);
    } catch {
      // Only an abort ends the preparation.
      return;
    }
    await Promise.all([this.#watch(signal), this.#list(signal)]);
    this.#options.requests.cancel();
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { now, sleep, backend, relistMs = 60_000, pollMs = 5000, minimumMs = 2100 } = this.#options;
    const { requests, random = Math.random } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const startedMs = now();
      requests.taken();
      this.#changed = new Set();
      try {
        const listing = await backend.list(signal);
        this.#deliver(listing, startedMs, this.#changed);
        // Whoever asked for it still waits for a complete one.
        failures = listing.complete ? 0 : failures + 1;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        this.#options.onListed?.('failed', now() - startedMs);
        this.#options.onError?.('list', error);
      } finally {
        this.#changed = undefined;
      }
      if (failures > 0) {
        await sleep(backoffMs('list', failures, { firstMs: 1000, maxMs: 30_000 }), signal);
      } else {
        await sleep(minimumMs, signal);
        const regular = (backend.watch ? relistMs : pollMs) * (0.9 + random() * 0.2) - minimumMs;
        await this.#requestedOr(Math.max(0, regular), signal);
      }
    }
  }

  #deliver(listing: Listing, startedMs: number, changed: ReadonlySet<string>): void {
    const { sink, now } = this.#options;
    const listed = new Set<string>();
    for (const instance of listing.instances) {
      listed.add(instance.ref.uid);
      if (!changed.has(instance.ref.uid)) sink.instance(instance, startedMs);
    }
    if (listing.complete) this.#completeOnce = true;
    sink.listed({
      startedMs,
      complete: listing.complete,
      instances: listing.instances,
      missing: (uid) => listing.complete && !listed.has(uid) && !changed.has(uid),
    });
    this.#options.onListed?.(listing.complete ? 'complete' : 'incomplete', now() - startedMs);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { backend, sleep } = this.#options;
    let failures = 0;
    while (backend.watch && !signal.aborted) {
      try {
        for await (const event of backend.watch(signal)) {
          failures = 0;
          this.#tell(event);
        }
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        this.#options.onError?.('watch', error);
      }
      if (signal.aborted) return;
      await sleep(backoffMs('watch', Math.max(1, failures), { firstMs: 500, maxMs: 15_000 }), signal);
      // What happened meanwhile was not told.
      this.#options.requests.request();
    }
  }

  #tell(event: InstanceEvent): void {
    const { sink } = this.#options;
    switch (event.type) {
      case 'changed':
        this.#changed?.add(event.instance.ref.uid);
        sink.instance(event.instance);
        return;
      case 'gone':
        this.#changed?.add(event.ref.uid);
        sink.gone(event.ref);
        return;
      case 'gap':
        this.#options.requests.request();
        return;
      case 'double':
        sink.double(event.ref, event.message);
        return;
      case 'notice':
        sink.notice(event.ref, event.notice);
    }
  }

  async #requestedOr(ms: number, signal: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const waiting = this.#options.sleep(ms, AbortSignal.any([signal, enough.signal]));
    await Promise.race([this.#options.requests.wanted, waiting]);
    enough.abort();
    await waiting;
  }
}
