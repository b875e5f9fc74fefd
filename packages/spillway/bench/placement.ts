import { type Binding, Informer, type KubeClient, nameOf, namespaceOf, nodes, type Pod, pods } from '@spillway/kube';
import { inParallel } from './burst.ts';
import type { Contestant } from './contestant.ts';
import type { PodNames } from './pod-names.ts';
import { quantile } from './quantile.ts';
import type { PlacementResult } from './results.ts';

export interface PlacementBenchOptions {
  /** The load generator's. */
  readonly client: KubeClient;
  readonly contestant: () => Promise<Contestant>;
  readonly namespace: string;
  readonly pods: number;
  readonly names: PodNames;
  readonly signal: AbortSignal;
}

const patienceMs = 120_000;
const fullNode = 'bench-full';
const filler = 'filler';
const kinds = ['overflow', 'enforce'] as const;

/**
 * `overflow`: with localPrefer, while the real node is full; `enforce`: bound without the scheduler. Then both again
 * without Spillway, bound by the generator as soon as it sees that they are to be: what the API server takes for itself.
 */
export async function measurePlacement(options: PlacementBenchOptions): Promise<readonly PlacementResult[]> {
  const { client, namespace } = options;
  await makeFullNode(options);
  try {
    const results: PlacementResult[] = [];
    {
      await using spillway = await options.contestant();
      for (const kind of kinds) results.push(await warmedUp(options, { kind, ended: spillway.ended }));
    }
    for (const kind of kinds) results.push(await warmedUp(options, { kind, ended: undefined }));
    return results;
  } finally {
    await client.resource(pods).delete({ namespace, name: filler }, { gracePeriodSeconds: 0 });
    await client.resource(nodes).delete({ name: fullNode });
  }
}

/** A node of the cluster, without a machine, on which a pod has taken everything. */
async function makeFullNode({ client, namespace, signal }: PlacementBenchOptions): Promise<void> {
  const allocatable = { cpu: '1', memory: '4Gi', pods: '110' };
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'a node of the benchmark' };
  const resource = client.resource(nodes);
  const metadata = { name: fullNode, labels: { 'kubernetes.io/hostname': fullNode } };
  await resource.create({ metadata }, { signal });
  const status = { allocatable, capacity: allocatable, conditions: [ready] };
  await resource.patch({ name: fullNode }, { type: 'merge', body: { status } }, { subresource: 'status', signal });
  await resource.patch({ name: fullNode }, { type: 'merge', body: { spec: { taints: null } } }, { signal });
  const pod: Pod = {
    metadata: { name: filler, namespace },
    spec: {
      nodeName: fullNode,
      containers: [{ name: 'main', image: 'busybox', resources: { requests: { cpu: '1' } } }],
    },
  };
  await client.resource(pods).create(pod, { signal });
}

interface Wave {
  readonly kind: PlacementResult['kind'];
  /** Of Spillway, which binds; undefined: the generator does. */
  readonly ended: Promise<never> | undefined;
}

/** Connections are open and code is compiled before it counts. */
async function warmedUp(options: PlacementBenchOptions, about: Wave): Promise<PlacementResult> {
  await wave(options, about, Math.min(100, options.pods));
  return await wave(options, about, options.pods);
}

async function wave(options: PlacementBenchOptions, { kind, ended }: Wave, count: number): Promise<PlacementResult> {
  const { client, namespace, signal } = options;
  const names = options.names.next(count);
  await using view = await BindingView.open(client, namespace, kind);
  const bindings: Promise<unknown>[] = [];
  if (ended === undefined) view.onUnbound = (pod) => bindings.push(bindToFullNode(client, pod, signal));
  const started = performance.now();
  const creating = inParallel(names, signal, (name) =>
    client.resource(pods).create(benchPod(name, namespace, kind), { signal }),
  );
  const bound = view.until(() => view.bound.size === count, `${count} pods to be bound (${kind})`, signal);
  await Promise.race([Promise.all([creating, bound]), ...(ended === undefined ? [] : [ended])]);
  const seconds = (performance.now() - started) / 1000;
  await Promise.all(bindings);
  const latencies = (from: ReadonlyMap<string, number>): number[] =>
    Array.from(view.bound, ([name, at]) => (at - (from.get(name) ?? at)) / 1000).toSorted((a, b) => a - b);
  const unschedulable = latencies(view.unschedulable);
  const created = latencies(view.created);
  // Nothing runs on the full node that could end.
  const grace = ended === undefined ? { gracePeriodSeconds: 0 } : {};
  await inParallel(names, signal, (name) => client.resource(pods).delete({ namespace, name }, { ...grace, signal }));
  await view.until(() => view.gone === count, `${count} pods to be gone (${kind})`, signal);
  return {
    kind,
    binder: ended === undefined ? 'generator' : 'spillway',
    pods: count,
    boundPerSecond: count / seconds,
    ...(kind === 'overflow'
      ? {
          unschedulableP50Seconds: quantile(unschedulable, 0.5),
          unschedulableP99Seconds: quantile(unschedulable, 0.99),
        }
      : {}),
    createdP50Seconds: quantile(created, 0.5),
    createdP99Seconds: quantile(created, 0.99),
  };
}

async function bindToFullNode(client: KubeClient, pod: Pod, signal: AbortSignal): Promise<void> {
  const target = { apiVersion: 'v1', kind: 'Node', name: fullNode };
  await client
    .resource(pods)
    .create<Binding>(
      { metadata: { namespace: namespaceOf(pod), name: nameOf(pod) }, target },
      { subresource: 'binding', lane: 'binding', signal },
    );
}

/** What a watch shows of the pods of a wave, with the time at which it did. */
class BindingView implements AsyncDisposable {
  readonly created = new Map<string, number>();
  readonly unschedulable = new Map<string, number>();
  readonly bound = new Map<string, number>();
  gone = 0;
  /** Called once for each pod that a binder has to bind. */
  onUnbound: (pod: Pod) => void = () => {};
  readonly #kind: PlacementResult['kind'];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #changed: () => void = () => {};

  static async open(client: KubeClient, namespace: string, kind: PlacementResult['kind']): Promise<BindingView> {
    const informer = new Informer({ client, type: pods, namespace, labelSelector: `wave=${kind}` });
    const view = new BindingView(informer, kind);
    await informer.synced;
    return view;
  }

  private constructor(informer: Informer<Pod>, kind: PlacementResult['kind']) {
    this.#kind = kind;
    informer.subscribe({
      added: (pod) => this.#see(pod),
      changed: (_, pod) => this.#see(pod),
      deleted: () => {
        this.gone += 1;
        this.#changed();
      },
    });
    this.#running = informer.run(this.#stop.signal);
  }

  async until(reached: () => boolean, what: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => reject(new Error(`gave up waiting for ${what}: ${this.bound.size} are bound, ${this.gone} gone`)),
      patienceMs,
    );
    const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('interrupted'));
    signal.addEventListener('abort', abort, { once: true });
    this.#changed = () => {
      if (reached()) resolve();
    };
    this.#changed();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #see(pod: Pod): void {
    const name = nameOf(pod);
    const now = performance.now();
    const isNew = !this.created.has(name);
    if (isNew) this.created.set(name, now);
    const isUnschedulable = pod.status?.conditions?.some(({ reason }) => reason === 'Unschedulable') === true;
    const isGivenUp = isUnschedulable && !this.unschedulable.has(name);
    if (isGivenUp) this.unschedulable.set(name, now);
    if (this.#kind === 'enforce' ? isNew : isGivenUp) this.onUnbound(pod);
    if ((pod.spec?.nodeName ?? '') !== '' && !this.bound.has(name)) this.bound.set(name, now);
    this.#changed();
  }
}

function benchPod(name: string, namespace: string, kind: PlacementResult['kind']): Pod {
  const burst = kind === 'overflow' ? 'localPrefer' : 'enforce';
  return {
    metadata: { name, namespace, labels: { wave: kind, 'virtual-kubelet.io/burst-to-cci': burst } },
    spec: {
      // What admission adds for enforce.
      ...(kind === 'enforce'
        ? {
            schedulerName: 'spillway',
            nodeSelector: { type: 'virtual-kubelet' },
            tolerations: [{ key: 'virtual-kubelet.io/burst-to-cci', operator: 'Exists' }],
          }
        : {}),
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: 'busybox', resources: { requests: { cpu: '10m', memory: '16Mi' } } }],
    },
  };
}
