import { describe, expect, it } from 'vitest';
import type { Backend, Instance, InstanceEvent, Listing } from '../../backends/backend.ts';
import { InstanceObserver } from './instance-observer.ts';
import { ListingRequests } from './listing-requests.ts';
import { testInstance, testPod } from '../testing/objects.ts';

const one = testInstance(testPod({ uid: 'one' }));
const two = testInstance(testPod({ uid: 'two' }));

/** A backend whose answers the test gives by hand. */
class HandBackend implements Pick<Backend, 'list' | 'watch'> {
  readonly listings: PromiseWithResolvers<Listing>[] = [];
  watches = 0;
  #news: InstanceEvent[] = [];
  #wake = Promise.withResolvers<void>();
  #broken: Error | undefined;

  list(): Promise<Listing> {
    const answer = Promise.withResolvers<Listing>();
    this.listings.push(answer);
    return answer.promise;
  }

  async *watch(signal: AbortSignal): AsyncGenerator<InstanceEvent> {
    this.watches += 1;
    signal.addEventListener('abort', () => this.#wake.resolve(), { once: true });
    while (!signal.aborted) {
      if (this.#broken) {
        const error = this.#broken;
        this.#broken = undefined;
        throw error;
      }
      yield* this.#news.splice(0);
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }

  tell(event: InstanceEvent): void {
    this.#news.push(event);
    this.#wake.resolve();
  }

  breakWatch(): void {
    this.#broken = new Error('connection lost');
    this.#wake.resolve();
  }
}

interface Setup {
  readonly backend: HandBackend;
  readonly observer: InstanceObserver;
  readonly requests: ListingRequests;
  readonly told: string[];
  readonly errors: string[];
  /** Lets all pauses end, or those that are no longer than this. */
  readonly proceed: (ms?: number) => void;
  readonly stop: () => Promise<void>;
}

function setUp(more: { watch?: false } = {}): Setup {
  const backend = new HandBackend();
  const told: string[] = [];
  const errors: string[] = [];
  const pauses = new Map<() => void, number>();
  const requests = new ListingRequests({ after: () => () => undefined });
  const observer = new InstanceObserver({
    requests,
    backend: more.watch === false ? { list: () => backend.list() } : backend,
    prepared: async () => undefined,
    now: () => 0,
    sleep: (ms, signal) =>
      new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        pauses.set(resolve, ms);
        signal.addEventListener('abort', () => resolve(), { once: true });
      }),
    sink: {
      instance: ({ ref, state }: Instance) => void told.push(`${ref.uid} ${state}`),
      gone: ({ uid }) => void told.push(`${uid} gone`),
      notice: ({ uid }, { reason }) => void told.push(`${uid} ${reason}`),
      double: ({ uid }) => void told.push(`${uid} twice`),
      listed: (listed) => {
        const missing = ['one', 'two'].filter((uid) => listed.missing(uid)).join(' ');
        told.push(`listed ${listed.complete ? 'all' : 'some'}, missing: ${missing}`);
      },
    },
    onError: (what) => void errors.push(what),
  });
  const abort = new AbortController();
  const running = observer.run(abort.signal);
  return {
    backend,
    observer,
    requests,
    told,
    errors,
    proceed: (longestMs = Number.POSITIVE_INFINITY) => {
      for (const [resume, ms] of pauses) {
        if (ms > longestMs) continue;
        pauses.delete(resume);
        resume();
      }
    },
    stop: async () => {
      abort.abort();
      for (const { resolve } of backend.listings) resolve({ complete: false, instances: [] });
      await running;
    },
  };
}

/** @param pauseMs what is waited for at most */
async function listing(setup: Setup, number: number, pauseMs?: number): Promise<PromiseWithResolvers<Listing>> {
  await expect
    .poll(() => {
      setup.proceed(pauseMs);
      return setup.backend.listings.length;
    })
    .toBeGreaterThanOrEqual(number);
  const found = setup.backend.listings[number - 1];
  if (found === undefined) throw new Error('no listing');
  return found;
}

describe('what a backend runs', () => {
  it('is watched first and listed then', async () => {
    const setup = setUp();
    const first = await listing(setup, 1);
    expect(setup.backend.watches).toBe(1);
    expect(setup.observer.completeOnce).toBe(false);
    first.resolve({ complete: true, instances: [one] });
    await expect.poll(() => setup.told).toEqual(['one running', 'listed all, missing: two']);
    expect(setup.observer.completeOnce).toBe(true);
    await setup.stop();
  });

  it('is known better by the watch than by a listing that began before', async () => {
    const setup = setUp();
    const first = await listing(setup, 1);
    setup.backend.tell({ type: 'changed', instance: { ...one, state: 'ended' } });
    setup.backend.tell({ type: 'changed', instance: two });
    await expect.poll(() => setup.told.length).toBe(2);
    first.resolve({ complete: true, instances: [one] });
    await expect.poll(() => setup.told.length).toBe(3);
    expect(setup.told).toEqual(['one ended', 'two running', 'listed all, missing: ']);
    await setup.stop();
  });

  it('is not concluded from an incomplete listing', async () => {
    const setup = setUp();
    (await listing(setup, 1)).resolve({ complete: false, instances: [one] });
    await expect.poll(() => setup.told).toEqual(['one running', 'listed some, missing: ']);
    expect(setup.observer.completeOnce).toBe(false);
    await setup.stop();
  });

  it('is listed again when the listing failed, for ever', async () => {
    const setup = setUp();
    for (let attempt = 1; attempt <= 5; attempt += 1) (await listing(setup, attempt)).reject(new Error('away'));
    (await listing(setup, 6)).resolve({ complete: true, instances: [] });
    await expect.poll(() => setup.observer.completeOnce).toBe(true);
    expect(setup.errors).toEqual(['list', 'list', 'list', 'list', 'list']);
    await setup.stop();
  });

  it('is watched again when the watch broke, and listed, because something may have been missed', async () => {
    const setup = setUp();
    (await listing(setup, 1)).resolve({ complete: true, instances: [] });
    setup.backend.breakWatch();
    await listing(setup, 2, 5000);
    expect(setup.backend.watches).toBe(2);
    expect(setup.errors).toEqual(['watch']);
    await setup.stop();
  });

  it('is listed once for all who ask', async () => {
    const setup = setUp();
    (await listing(setup, 1)).resolve({ complete: true, instances: [] });
    setup.requests.request();
    setup.requests.request();
    await listing(setup, 2);
    expect(setup.backend.listings).toHaveLength(2);
    await setup.stop();
  });

  it('is polled when the backend cannot watch', async () => {
    const setup = setUp({ watch: false });
    for (let number = 1; number <= 3; number += 1)
      (await listing(setup, number)).resolve({ complete: true, instances: [] });
    expect(setup.backend.watches).toBe(0);
    await setup.stop();
  });

  it('tells people what happens to their pods', async () => {
    const setup = setUp();
    await listing(setup, 1);
    setup.backend.tell({
      type: 'notice',
      ref: one.ref,
      notice: { severity: 'Normal', reason: 'Pulling', message: '' },
    });
    setup.backend.tell({ type: 'gone', ref: two.ref });
    await expect.poll(() => setup.told).toEqual(['one Pulling', 'two gone']);
    await setup.stop();
  });
});
