import { type KubeClient, nameOf, type Pod, pods, type WatchEvent } from '@spillway/kube';

/** Creations and deletions under way at a time. */
const parallel = 32;

/** A phase without any progress for so long has failed. */
const patienceMs = 120_000;

export interface BurstOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly nodeName: string;
  readonly names: readonly string[];
  /** Told when all are Running and Ready. */
  readonly onRunning: () => Promise<void>;
  readonly signal: AbortSignal;
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

/** Creates pods that are bound to the node already, waits until all are Ready, and deletes them. */
export async function burst(options: BurstOptions): Promise<BurstTimes> {
  const { client, namespace, nodeName, names, signal } = options;
  const resource = client.resource(pods);
  await using view = await PodView.open(options);

  const created = performance.now();
  await inParallel(names, signal, (name) => resource.create(benchPod(name, namespace, nodeName), { signal }));
  const createSeconds = since(created);
  await view.until(`${names.length} pods to be Ready`, () => view.ready.size === names.length);
  const runningSeconds = since(created);
  const readyLatencies = Array.from(view.ready, ([name, at]) => (at - (view.added.get(name) ?? at)) / 1000);
  await options.onRunning();

  const deleted = performance.now();
  const going = inParallel(names, signal, (name) => resource.delete({ namespace, name }, { signal }));
  await Promise.all([going, view.until('all pods to be gone', () => view.gone.size === names.length)]);
  const deleteSeconds = since(deleted);
  return { createSeconds, runningSeconds, readyLatencies: readyLatencies.toSorted((a, b) => a - b), deleteSeconds };
}

/** What a watch shows of the pods of a burst, with the time at which it did. */
class PodView implements AsyncDisposable {
  readonly added = new Map<string, number>();
  readonly ready = new Map<string, number>();
  readonly gone = new Set<string>();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #watching: Promise<void>;
  #changed: () => void = () => {};

  static async open({ client, namespace, signal }: BurstOptions): Promise<PodView> {
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
            `with ${this.added.size} pods seen, ${this.ready.size} Ready and ${this.gone.size} gone`,
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
    if (type === 'DELETED') this.gone.add(name);
    else if (!this.ready.has(name) && isReady(object)) this.ready.set(name, now);
    this.#changed();
  }
}

function isReady({ status }: Pod): boolean {
  return (
    status?.phase === 'Running' &&
    (status.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True')
  );
}

function benchPod(name: string, namespace: string, nodeName: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      nodeName,
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'main',
          image: 'busybox',
          imagePullPolicy: 'IfNotPresent',
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

function since(startMs: number): number {
  return (performance.now() - startMs) / 1000;
}
