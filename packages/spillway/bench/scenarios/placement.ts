import { Informer, type KubeClient, nameOf, nodes, type Pod, pods } from '@spillway/kube';
import { quantile } from '../observe/quantile.ts';
import type { Figure, Figures } from '../report/results.ts';
import { inParallel } from './burst.ts';
import type { Scenario, Turn } from './scenario.ts';

/** A wave without any progress for so long has failed. */
const patienceMs = 120_000;
const fullNode = 'bench-full';
const filler = 'filler';

type Kind = 'overflow' | 'enforce';

const milliseconds = { factor: 1000, decimals: 0 };
const created: readonly Figure[] = [
  { key: 'createdP50Seconds', label: 'creation to bound, p50, ms', ...milliseconds },
  { key: 'createdP99Seconds', label: 'creation to bound, p99, ms', ...milliseconds },
];
const rate: Figure = {
  key: 'boundPerSecond',
  label: 'bound, pods/s',
  decimals: 1,
  goals: [{ of: 'bare', atLeast: 0.85 }],
};
// The full node has no heartbeat.
const cluster = { extraArgs: { 'kube-controller-manager': ['--node-monitor-grace-period=24h'] } };

export const overflow: Scenario = {
  name: 'overflow',
  about: 'pods with localPrefer are bound when the scheduler has given up on them, because the real node is full',
  contestants: ['spillway', 'bare'],
  pods: [1000],
  figures: [
    rate,
    { key: 'unschedulableP50Seconds', label: 'Unschedulable to bound, p50, ms', ...milliseconds },
    {
      key: 'unschedulableP99Seconds',
      label: 'Unschedulable to bound, p99, ms',
      ...milliseconds,
      goals: [{ of: 'bare', atMost: 1.5 }],
    },
    ...created,
  ],
  cluster,
  measure: (turn) => place(turn, 'overflow'),
};

export const enforce: Scenario = {
  name: 'enforce',
  about: 'pods with enforce are bound without the scheduler',
  contestants: ['spillway', 'bare'],
  pods: [1000],
  figures: [
    rate,
    ...created.map(
      (figure): Figure =>
        figure.key === 'createdP99Seconds' ? { ...figure, goals: [{ of: 'bare', atMost: 1.5 }] } : figure,
    ),
  ],
  cluster,
  measure: (turn) => place(turn, 'enforce'),
};

/** Connections are open and code is compiled before it counts. */
async function place(turn: Turn, kind: Kind): Promise<Figures> {
  await makeFullNode(turn);
  try {
    await using contestant = await turn.start();
    await wave(turn, kind, contestant.ended, Math.min(100, turn.pods));
    return await wave(turn, kind, contestant.ended, turn.pods);
  } finally {
    const { client, namespace } = turn;
    await client.resource(pods).delete({ namespace, name: filler }, { gracePeriodSeconds: 0 });
    await client.resource(nodes).delete({ name: fullNode });
  }
}

/** A node of the cluster, without a machine, on which a pod has taken everything. */
async function makeFullNode({ client, namespace, signal }: Turn): Promise<void> {
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

async function wave(turn: Turn, kind: Kind, ended: Promise<never>, count: number): Promise<Figures> {
  const { client, namespace, signal } = turn;
  const names = turn.names.next(count);
  await using view = await BindingView.open(client, namespace, kind);
  const started = performance.now();
  const creating = inParallel(names, signal, (name) =>
    client.resource(pods).create(benchPod(name, namespace, kind), { signal }),
  );
  const bound = view.until(() => view.bound.size === count, `${count} pods to be bound (${kind})`, signal);
  await Promise.race([Promise.all([creating, bound]), ended]);
  const seconds = (performance.now() - started) / 1000;
  const latencies = (from: ReadonlyMap<string, number>): number[] =>
    Array.from(view.bound, ([name, at]) => (at - (from.get(name) ?? at)) / 1000).toSorted((a, b) => a - b);
  const fromUnschedulable = latencies(view.unschedulable);
  const fromCreated = latencies(view.created);
  await inParallel(names, signal, (name) => client.resource(pods).delete({ namespace, name }, { signal }));
  await view.until(() => view.gone === count, `${count} pods to be gone (${kind})`, signal);
  return {
    boundPerSecond: count / seconds,
    createdP50Seconds: quantile(fromCreated, 0.5),
    createdP99Seconds: quantile(fromCreated, 0.99),
    ...(kind === 'overflow'
      ? {
          unschedulableP50Seconds: quantile(fromUnschedulable, 0.5),
          unschedulableP99Seconds: quantile(fromUnschedulable, 0.99),
        }
      : {}),
  };
}

/** What a watch shows of the pods of a wave, with the time at which it did. */
class BindingView implements AsyncDisposable {
  readonly created = new Map<string, number>();
  readonly unschedulable = new Map<string, number>();
  readonly bound = new Map<string, number>();
  gone = 0;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #changed: () => void = () => {};

  static async open(client: KubeClient, namespace: string, kind: Kind): Promise<BindingView> {
    const informer = new Informer({ client, type: pods, namespace, labelSelector: `wave=${kind}` });
    const view = new BindingView(informer);
    await informer.synced;
    return view;
  }

  private constructor(informer: Informer<Pod>) {
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
    const giveUp = (): void =>
      reject(
        new Error(
          `gave up waiting for ${what}: for ${patienceMs / 1000} s nothing happened, with ${this.bound.size} pods bound and ${this.gone} gone`,
        ),
      );
    let timer = setTimeout(giveUp, patienceMs);
    const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('interrupted'));
    signal.addEventListener('abort', abort, { once: true });
    this.#changed = () => {
      if (reached()) resolve();
      clearTimeout(timer);
      timer = setTimeout(giveUp, patienceMs);
    };
    this.#changed();
    try {
      await promise;
    } finally {
      this.#changed = () => {};
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
    if (!this.created.has(name)) this.created.set(name, now);
    const isUnschedulable = pod.status?.conditions?.some(({ reason }) => reason === 'Unschedulable') === true;
    if (isUnschedulable && !this.unschedulable.has(name)) this.unschedulable.set(name, now);
    if ((pod.spec?.nodeName ?? '') !== '' && !this.bound.has(name)) this.bound.set(name, now);
    this.#changed();
  }
}

function benchPod(name: string, namespace: string, kind: Kind): Pod {
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
