import { type KubeClient, nameOf, type Pod, pods, type WatchEvent } from '@spillway/kube';
import type { Contestant } from '../contestants/contestant.ts';
import type { Turn } from './scenario.ts';

/** Creations and deletions under way at a time. */
const parallel = 32;

/** A phase without any progress for so long has failed. */
const patienceMs = 120_000;

/** Of a burst, where it is not like all others. */
export interface BurstOptions {
  /** Default: as many as the turn has. */
  readonly pods?: number;
  /** What the container of a pod that is created now runs; default: what its image does. */
  readonly command?: () => readonly string[];
  /** Waited for when all are Running and Ready, before they are deleted. */
  readonly onRunning?: (pods: PodView) => Promise<void>;
}

export interface BurstTimes {
  /** From the first creation to the last one's answer. */
  readonly createSeconds: number;
  /** From the first creation until all are Running and Ready. */
  readonly runningSeconds: number;
  /** From the moment the watch shows a pod until it shows it Ready; in seconds, sorted. */
  readonly readyLatencies: readonly number[];
  /** From the first deletion until the last pod is gone. */
  readonly deleteSeconds: number;
}

/** Creates pods that are bound to the contestant's node already, waits until all are Ready, and deletes them. */
export async function burstOn(
  { nodeName, ended }: Pick<Contestant, 'nodeName' | 'ended'>,
  turn: BurstTurn,
  options: BurstOptions = {},
): Promise<BurstTimes> {
  const over = new AbortController();
  const signal = AbortSignal.any([turn.signal, over.signal]);
  const bursting = burst(nodeName, { ...turn, signal }, options);
  try {
    return await Promise.race([bursting, ended]);
  } finally {
    over.abort(new Error('the turn is over'));
    await bursting.catch(() => {});
  }
}

type BurstTurn = Pick<Turn, 'client' | 'namespace' | 'names' | 'pods' | 'signal'>;

async function burst(
  nodeName: string,
  turn: BurstTurn,
  { pods: count = turn.pods, command, onRunning }: BurstOptions,
): Promise<BurstTimes> {
  const { client, namespace, signal } = turn;
  const names = turn.names.next(count);
  const resource = client.resource(pods);
  await using view = await PodView.open({ client, namespace, signal });

  const created = performance.now();
  await inParallel(names, signal, (name) =>
    resource.create(benchPod({ name, namespace, nodeName, command: command?.() }), { signal }),
  );
  const createSeconds = since(created);
  await view.until(`${count} pods to be Ready`, () => view.ready.size === count);
  const runningSeconds = since(created);
  const readyLatencies = Array.from(view.ready, ([name, at]) => (at - (view.added.get(name) ?? at)) / 1000);
  await onRunning?.(view);

  const deleted = performance.now();
  const going = inParallel(names, signal, (name) => resource.delete({ namespace, name }, { signal }));
  await Promise.all([going, view.until('all pods to be gone', () => view.gone.size === count)]);
  const deleteSeconds = since(deleted);
  return { createSeconds, runningSeconds, readyLatencies: readyLatencies.toSorted((a, b) => a - b), deleteSeconds };
}

/** What a watch shows of the pods of a burst, with the time at which it did. */
export class PodView implements AsyncDisposable {
  readonly added: Map<string, number> = new Map();
  readonly ready: Map<string, number> = new Map();
  readonly succeeded: Map<string, number> = new Map();
  readonly gone: Map<string, number> = new Map();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #watching: Promise<void>;
  #changed: () => void = () => {};

  static async open({ client, namespace, signal }: Pick<Turn, 'client' | 'namespace' | 'signal'>): Promise<PodView> {
    const { items, metadata } = await client.resource(pods).list({ namespace, signal });
    if (items.length > 0) throw new Error(`namespace ${namespace} has ${items.length} pods before the burst`);
    return new PodView(client, namespace, metadata?.resourceVersion, signal);
  }

  private constructor(client: KubeClient, namespace: string, resourceVersion: string | undefined, signal: AbortSignal) {
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
    this.#watching = this.#watch(client, namespace, resourceVersion);
    this.#watching.catch(() => {});
  }

  async until(what: string, reached: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = (): void =>
      reject(
        new Error(
          `gave up waiting for ${what}: for ${patienceMs / 1000} s nothing happened, ` +
            `with ${this.added.size} pods seen, ${this.ready.size} Ready, ${this.succeeded.size} Succeeded and ${this.gone.size} gone`,
        ),
      );
    let timer = setTimeout(giveUp, patienceMs);
    this.#changed = () => {
      if (reached()) resolve();
      clearTimeout(timer);
      timer = setTimeout(giveUp, patienceMs);
    };
    this.#changed();
    try {
      // The watch goes on for as long as nothing is wrong.
      await Promise.race([promise, this.#watching]);
    } finally {
      clearTimeout(timer);
      this.#changed = () => {};
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#watching.catch(() => {});
  }

  /** The API server ends the watch of a client that it finds slow; the next one goes on where it was. */
  async #watch(client: KubeClient, namespace: string, from: string | undefined): Promise<void> {
    let resourceVersion = from;
    while (!this.#signal.aborted) {
      const options = { namespace, resourceVersion, timeoutSeconds: 3600, signal: this.#signal };
      for await (const event of client.resource(pods).watch(options)) {
        resourceVersion = event.object.metadata?.resourceVersion;
        this.#see(event);
      }
    }
  }

  #see({ type, object }: WatchEvent<Pod>): void {
    const name = nameOf(object);
    const now = performance.now();
    if (type === 'ADDED') this.added.set(name, now);
    if (type === 'DELETED') this.gone.set(name, now);
    else if (!this.ready.has(name) && isReady(object)) this.ready.set(name, now);
    if (!this.succeeded.has(name) && object.status?.phase === 'Succeeded') this.succeeded.set(name, now);
    this.#changed();
  }
}

function isReady({ status }: Pod): boolean {
  return (
    status?.phase === 'Running' &&
    (status.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True')
  );
}

interface PodWish {
  readonly name: string;
  readonly namespace: string;
  readonly nodeName: string;
  readonly command?: readonly string[] | undefined;
}

export function benchPod({ name, namespace, nodeName, command }: PodWish): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      nodeName,
      ...(command === undefined ? {} : { restartPolicy: 'Never' }),
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'main',
          image: 'busybox',
          imagePullPolicy: 'IfNotPresent',
          ...(command === undefined ? {} : { command: [...command] }),
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
        },
      ],
    },
  };
}

/** So many creations or deletions at a time as the benchmark allows itself. */
export async function inParallel<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) {
      signal.throwIfAborted();
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

export function since(startMs: number): number {
  return (performance.now() - startMs) / 1000;
}
