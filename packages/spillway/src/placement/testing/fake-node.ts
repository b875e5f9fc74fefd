import { Informer, isNotFound, type KubeClient, nameOf, nodes, type Pod, pods, refOf, uidOf } from '@spillway/kube';
import { isDeleting } from '../../podspec/pod-facts.ts';

export interface FakeNodeOptions {
  readonly client: KubeClient;
  readonly name: string;
  readonly cpu: string;
  /** May a pod that is being deleted end? Default: yes. */
  readonly mayEnd?: (pod: Pod) => boolean;
}

/** A node of the cluster without a machine: its pods become Ready at once, and are gone soon after their deletion. */
export class FakeNode implements AsyncDisposable {
  readonly #options: FakeNodeOptions;
  readonly #stop = new AbortController();
  readonly #informer: Informer<Pod>;
  readonly #running: Promise<void>;
  readonly #writes = new Set<Promise<void>>();

  static async start(options: FakeNodeOptions): Promise<FakeNode> {
    const { client, name, cpu } = options;
    const allocatable = { cpu, memory: '64Gi', pods: '110' };
    const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'a fake node' };
    const resource = client.resource(nodes);
    const metadata = { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } };
    await resource.create({ metadata });
    await resource.patch(
      { name },
      { type: 'merge', body: { status: { allocatable, capacity: allocatable, conditions: [ready] } } },
      { subresource: 'status' },
    );
    // As the API server adds it to a new node, and the node controller takes it away from a Ready one.
    await resource.patch({ name }, { type: 'merge', body: { spec: { taints: null } } });
    return new FakeNode(options);
  }

  private constructor(options: FakeNodeOptions) {
    const { client, name } = options;
    this.#options = options;
    this.#informer = new Informer({ client, type: pods, fieldSelector: `spec.nodeName=${name}` });
    this.#informer.subscribe({
      added: (pod) => this.#serve(pod),
      changed: (_, pod) => this.#serve(pod),
    });
    this.#running = this.#informer.run(this.#stop.signal);
  }

  /** Lets those end that wait for it. */
  lookAgain(): void {
    for (const pod of this.#informer.store.values()) this.#serve(pod);
  }

  /** The node leaves the cluster. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await Promise.all(this.#writes);
    await this.#options.client.resource(nodes).delete({ name: this.#options.name });
  }

  #serve(pod: Pod): void {
    const writing = this.#write(pod).catch((error: unknown) => {
      if (!isNotFound(error) && !this.#stop.signal.aborted) throw error;
    });
    this.#writes.add(writing);
    void writing.finally(() => this.#writes.delete(writing));
  }

  async #write(pod: Pod): Promise<void> {
    const { client, mayEnd = () => true } = this.#options;
    const resource = client.resource(pods);
    if (isDeleting(pod)) {
      if (!mayEnd(pod)) return;
      // As a kubelet says it before: a Job keeps its pod until it knows how that ended.
      const ended = { metadata: { uid: uidOf(pod) }, status: { phase: 'Failed' } };
      await resource.patch(refOf(pod), { type: 'strategic', body: ended }, { subresource: 'status' });
      await resource.delete(refOf(pod), { gracePeriodSeconds: 0, preconditions: { uid: uidOf(pod) } });
      return;
    }
    if (pod.status?.phase !== 'Pending') return;
    const now = new Date().toISOString();
    const body = {
      metadata: { uid: uidOf(pod) },
      status: {
        phase: 'Running',
        podIP: '10.245.0.1',
        conditions: ['Ready', 'ContainersReady', 'Initialized'].map((type) => ({
          type,
          status: 'True',
          lastTransitionTime: now,
        })),
        containerStatuses: (pod.spec?.containers ?? []).map(({ name }) => ({
          name,
          ready: true,
          restartCount: 0,
          image: '',
          imageID: '',
          containerID: `fake://${nameOf(pod)}`,
          state: { running: { startedAt: now } },
        })),
      },
    };
    await resource.patch(refOf(pod), { type: 'strategic', body }, { subresource: 'status' });
  }
}
