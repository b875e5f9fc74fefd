import {
  controllerOf,
  type EventRecorder,
  type KubeClient,
  type Pod,
  type PodCondition,
  pods,
  refOf,
  type Store,
  uidOf,
  WorkQueue,
} from '@spillway/kube';
import { notSupportedReason } from '../../podspec/contract.ts';
import { notBurstablePatch } from '../binder/messages.ts';
import { retryBackoff } from '../retry-backoff.ts';
import { workThrough } from '../work-through.ts';
import { type Stuck, stuckOf } from './stuck.ts';
import { Successors } from './successors.ts';

export interface ReclaimerOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  readonly pods: Store<Pod>;
  readonly isPool: (nodeName: string) => boolean;
  /** Is there another node on which a pod could be that its pool does not run? */
  readonly hasAlternative: (pod: Pod) => boolean;
  /** How long a pod waits before it is given back, by why. */
  readonly patienceMs: Readonly<Record<Stuck['cause'], number>>;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly onReclaimed: (reason: string) => void;
  readonly onError: (error: unknown) => void;
}

/** How often another node is looked for. */
const alternativesMs = 10_000;

interface Stay {
  readonly cause: Stuck['cause'];
  /** By our own monotonic clock. */
  readonly sinceMs: number;
}

/** Gives back pods that are bound to a pool in which they do not start, so that their successors go elsewhere. */
export class Reclaimer {
  readonly #options: ReclaimerOptions;
  readonly #stays = new Map<string, Stay>();
  readonly #successors = new Successors();
  readonly #queue = new WorkQueue<string>({ rateLimiter: retryBackoff() });

  constructor(options: ReclaimerOptions) {
    this.#options = options;
  }

  podSeen(pod: Pod): void {
    const uid = uidOf(pod);
    const stuck = this.#options.isPool(pod.spec?.nodeName ?? '') ? stuckOf(pod) : undefined;
    if (stuck === undefined) {
      this.#stays.delete(uid);
      return;
    }
    const { cause } = stuck;
    if (this.#stays.get(uid)?.cause === cause) return;
    this.#stays.set(uid, { cause, sinceMs: performance.now() });
    this.#queue.addAfter(uid, this.#options.patienceMs[cause]);
  }

  podGone(pod: Pod): void {
    this.#stays.delete(uidOf(pod));
  }

  /** Resolves when `signal` is aborted and nothing is under way. */
  async run(signal: AbortSignal): Promise<void> {
    await workThrough(this.#queue, 4, (uid) => this.#examine(uid, signal), this.#options.onError, signal);
  }

  async #examine(uid: string, signal: AbortSignal): Promise<void> {
    const stay = this.#stays.get(uid);
    const pod = this.#options.pods.getByUid(uid);
    const stuck = pod && stuckOf(pod);
    if (stay === undefined || pod === undefined || stuck === undefined) return;
    const leftMs = stay.sinceMs + this.#options.patienceMs[stay.cause] - performance.now();
    if (leftMs > 0) {
      this.#queue.addAfter(uid, leftMs);
      return;
    }
    if (stuck.cause === 'refused' && !(await this.#mayGo(pod, stay, signal))) return;
    await this.#giveBack(pod, stuck, signal);
  }

  /** Would its successor be anywhere else? */
  async #mayGo(pod: Pod, { sinceMs }: Stay, signal: AbortSignal): Promise<boolean> {
    if (!this.#options.hasAlternative(pod)) {
      this.#queue.addAfter(uidOf(pod), alternativesMs);
      return false;
    }
    const controller = controllerOf(pod)?.uid ?? '';
    if (this.#successors.isOne(controller, sinceMs)) {
      await this.#keep(pod, signal);
      return false;
    }
    // Before the successor can come.
    this.#successors.givenBack(controller, performance.now());
    return true;
  }

  async #giveBack(pod: Pod, { cause, reason }: Stuck, signal: AbortSignal): Promise<void> {
    const { client, patienceMs, recorder, onReclaimed } = this.#options;
    const told =
      cause === 'refused'
        ? {
            reason: notSupportedReason,
            message: `The pool of the node ${pod.spec?.nodeName ?? ''} cannot run this pod, as an earlier event says. The pod is deleted, so that its controller creates another one, which is kept away from this node.`,
          }
        : {
            reason: 'NoRoomInPool',
            message: `The pool has had no room for this pod for ${Math.round(patienceMs.noRoom / 1000)} s (${reason}). The pod is deleted, so that its successor can run on another node.`,
          };
    const condition: PodCondition = {
      type: 'DisruptionTarget',
      status: 'True',
      ...told,
      lastTransitionTime: `${new Date().toISOString().slice(0, 19)}Z`,
    };
    const uid = uidOf(pod);
    // Of the pod as it was judged: one that has found room meanwhile is looked at again.
    const seen = { uid, resourceVersion: pod.metadata?.resourceVersion };
    const body = { metadata: seen, status: { conditions: [condition] } };
    const resource = client.resource(pods);
    const { metadata } = await resource.patch(
      refOf(pod),
      { type: 'strategic', body },
      { subresource: 'status', lane: 'background', signal },
    );
    recorder.record(pod, { type: 'Warning', ...told });
    const preconditions = { uid, resourceVersion: metadata?.resourceVersion };
    await resource.delete(refOf(pod), { preconditions, lane: 'background', signal });
    onReclaimed(reason);
  }

  /** From now on it is known to stay, also to the process that comes after this one. */
  async #keep(pod: Pod, signal: AbortSignal): Promise<void> {
    const { client, recorder } = this.#options;
    const message = `The pool of the node ${pod.spec?.nodeName ?? ''} cannot run this pod. A pod of the same controller was given back before, and this one came to the node all the same, so it stays. To keep such pods away, serve the admission webhooks (admission.enabled in the configuration), or remove the tolerations of virtual nodes from the pod template.`;
    const body = notBurstablePatch(pod, message);
    if (body === undefined) return;
    await client.resource(pods).patch(refOf(pod), { type: 'merge', body }, { lane: 'background', signal });
    recorder.record(pod, { type: 'Warning', reason: 'NotGivenBack', message });
  }
}
