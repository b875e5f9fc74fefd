import type { Clock, Logger } from '@spillway/kube';
import type { InstanceRef, Owner } from '../backend.ts';
import { isUnavailable } from './client/errors.ts';
import type { RuntimeCalls } from './client/runtime-client.ts';
import { labels, ownerSelector, refOf } from './config/marks.ts';
import { signatureOf, stateOf } from './pod/observe.ts';

/** One pod as a listing of everything shows it. */
export interface ListedPod {
  readonly ref: InstanceRef;
  readonly signature: string;
  readonly createdAt: number;
  /** Names and images of the containers, as far as the runtime knows them. */
  readonly containers: ReadonlyMap<string, string>;
}

export interface PodListing {
  readonly pods: ReadonlyMap<string, ListedPod>;
  /** Counts up with each listing; taken when the question was sent. */
  readonly sequence: number;
}

/**
 * Sees what changed in the runtime without being told: containerd 1.6 has no event stream in the CRI, so everything of ours is
 * listed again and again, two calls for all pods together. What we do ourselves is known at once and waits for no listing.
 */
export class Observer {
  readonly #calls: RuntimeCalls;
  readonly #owner: Owner;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #sequence = 0;

  constructor(calls: RuntimeCalls, owner: Owner, clock: Clock, logger: Logger) {
    this.#calls = calls;
    this.#owner = owner;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Number of the latest listing that was begun. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Lists until the signal aborts. A runtime that is away is asked again; its return is a listing like any other. */
  async run(intervalMs: number, take: (listing: PodListing) => Promise<void>, signal: AbortSignal): Promise<void> {
    let away = false;
    while (!signal.aborted) {
      try {
        await take(await this.list(signal));
        if (away) this.#logger.info({}, 'container runtime is back');
        away = false;
      } catch (error) {
        if (signal.aborted) return;
        if (!away || !isUnavailable(error))
          this.#logger.warn({ err: error }, 'container runtime cannot be asked; trying again');
        away = true;
      }
      await this.#clock.sleep(intervalMs, signal);
    }
  }

  async list(signal?: AbortSignal): Promise<PodListing> {
    const sequence = ++this.#sequence;
    const filter = { labelSelector: ownerSelector(this.#owner) };
    const options = signal ? { signal } : {};
    const [{ items }, { containers }] = await Promise.all([
      this.#calls.ListPodSandbox({ filter }, options),
      this.#calls.ListContainers({ filter }, options),
    ]);
    const found = new Map<string, Found>();
    for (const { id, labels: marks, state, createdAt } of items) {
      const pod = foundAt(found, refOf(marks));
      pod?.sandboxes.push({ id, ready: state === 'SANDBOX_READY' });
      if (pod) pod.createdAt = Math.min(pod.createdAt, Number(BigInt(createdAt) / 1_000_000n));
    }
    for (const { id, labels: marks, state, image } of containers) {
      const pod = foundAt(found, refOf(marks));
      pod?.containers.push({ id, state: stateOf(state) });
      pod?.names.set(marks[labels.containerName] ?? '', image?.userSpecifiedImage || (image?.image ?? ''));
    }
    return { pods: new Map(Array.from(found, ([uid, pod]) => [uid, listed(pod)])), sequence };
  }
}

interface Found {
  readonly ref: InstanceRef;
  readonly sandboxes: { id: string; ready: boolean }[];
  readonly containers: { id: string; state: ReturnType<typeof stateOf> }[];
  readonly names: Map<string, string>;
  createdAt: number;
}

function foundAt(found: Map<string, Found>, ref: InstanceRef | undefined): Found | undefined {
  if (!ref) return undefined;
  const pod = found.get(ref.uid) ?? {
    ref,
    sandboxes: [],
    containers: [],
    names: new Map(),
    createdAt: Number.MAX_SAFE_INTEGER,
  };
  found.set(ref.uid, pod);
  return pod;
}

function listed({ ref, sandboxes, containers, names, createdAt }: Found): ListedPod {
  return { ref, signature: signatureOf(sandboxes, containers), createdAt, containers: names };
}
