import type { Instance, InstanceEvent, InstanceRef, Notice } from './backend.ts';

/** Notices kept for a watcher that does not read; older ones are dropped first. */
const maxNotices = 10_000;

/**
 * Hands instance events to any number of watchers. A slow watcher costs bounded memory: of an instance it gets the newest
 * state only, as with any level-triggered watch.
 */
export class EventHub {
  readonly #watchers = new Set<Watcher>();

  changed(instance: Instance): void {
    for (const watcher of this.#watchers) watcher.state({ type: 'changed', instance }, instance.ref.uid);
  }

  gone(ref: InstanceRef): void {
    for (const watcher of this.#watchers) watcher.state({ type: 'gone', ref }, ref.uid);
  }

  gap(): void {
    for (const watcher of this.#watchers) watcher.gap();
  }

  notice(ref: InstanceRef, notice: Notice): void {
    for (const watcher of this.#watchers) watcher.notice({ type: 'notice', ref, notice });
  }

  double(ref: InstanceRef, message: string): void {
    for (const watcher of this.#watchers) watcher.notice({ type: 'double', ref, message });
  }

  /** Events from the call on, until the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<InstanceEvent> {
    const watcher = new Watcher();
    this.#watchers.add(watcher);
    return this.#read(watcher, signal);
  }

  async *#read(watcher: Watcher, signal: AbortSignal): AsyncIterable<InstanceEvent> {
    const wake = (): void => watcher.wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        yield* watcher.take();
        await watcher.pending(signal);
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.#watchers.delete(watcher);
    }
  }
}

class Watcher {
  #states = new Map<string, InstanceEvent>();
  #notices: InstanceEvent[] = [];
  #gap: readonly InstanceEvent[] = [];
  #arrival = Promise.withResolvers<void>();

  state(event: InstanceEvent, uid: string): void {
    // Last in, last out: a state that was replaced takes the newer one's place in the order.
    this.#states.delete(uid);
    this.#states.set(uid, event);
    this.wake();
  }

  gap(): void {
    this.#gap = [{ type: 'gap' }];
    this.wake();
  }

  notice(event: InstanceEvent): void {
    if (this.#notices.length >= maxNotices) this.#notices = this.#notices.slice(maxNotices / 2);
    this.#notices.push(event);
    this.wake();
  }

  /** Notices first: they explain the state. */
  take(): readonly InstanceEvent[] {
    const events = [...this.#notices, ...this.#states.values(), ...this.#gap];
    this.#notices = [];
    this.#gap = [];
    this.#states = new Map();
    return events;
  }

  async pending(signal: AbortSignal): Promise<void> {
    if (this.#states.size + this.#notices.length + this.#gap.length > 0 || signal.aborted) return;
    this.#arrival = Promise.withResolvers<void>();
    await this.#arrival.promise;
  }

  wake(): void {
    this.#arrival.resolve();
  }
}
