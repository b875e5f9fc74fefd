import {
  type CallOptions,
  type Evidence,
  type Event,
  Informer,
  type KubeClient,
  type Logger,
  nameOf,
  type Pod,
  uidOf,
} from '@spillway/kube';
import type { Instance, InstanceRef, Listing, Owner } from '../../backend.ts';
import type { EventHub } from '../../event-hub.ts';
import type { Dialect } from '../dialect.ts';
import { agentRestart } from './agent-restarts.ts';
import { instanceAmong } from './doubles.ts';
import { podSelector, markedRef } from './marks.ts';
import { namedAsHere, noticeOf } from './notices.ts';
import { observe } from './observe.ts';

export interface InstancesOptions {
  readonly client: KubeClient;
  readonly dialect: Dialect;
  readonly owner: Owner;
  readonly namespace: string;
  readonly hub: EventHub;
  readonly logger: Logger;
}

/** Events that came before the pod that they are about. */
const maxEarlyEvents = 1000;

/** A pod that there should not be, because another one is the instance of its UID. */
export interface Double {
  readonly ref: InstanceRef;
  readonly pod: Pod;
  /** Name of the other one. */
  readonly kept: string;
}

/** Our pods in the other cluster: told as they change, and listed live. */
export class Instances {
  readonly #options: InstancesOptions;
  readonly #pods: Informer<Pod>;
  readonly #events: Informer<Event>;
  /** By the UID that the pod has there. */
  readonly #refs = new Map<string, InstanceRef>();
  readonly #early = new Map<string, Event[]>();
  /** Who waits for news of a pod, by its UID here. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(options: InstancesOptions) {
    const { client, dialect, owner, namespace, logger } = options;
    this.#options = options;
    const common = { client, namespace, logger, watchList: dialect.watchList };
    this.#pods = new Informer({
      ...common,
      type: dialect.types.pods,
      labelSelector: podSelector(owner),
      indexes: { uid: (pod) => [markedRef(pod, owner)?.uid ?? ''] },
    });
    this.#events = new Informer({
      ...common,
      type: dialect.types.events,
      fieldSelector: 'involvedObject.kind=Pod',
    });
    const changed = (pod: Pod): void => this.#changed(pod);
    this.#pods.subscribe({
      added: changed,
      changed: (old, pod) => {
        changed(pod);
        this.#agentRestarted(old, pod);
      },
      deleted: (pod, by) => this.#deleted(pod, by),
      synced: () => {
        for (const uid of this.#waiting.keys()) this.#wake(uid);
      },
    });
    // What was said before this process began has been told by another.
    const said = (event: Event): void => {
      if (this.#events.hasSynced()) this.#said(event);
    };
    this.#events.subscribe({ added: said, changed: (_old, event) => said(event) });
  }

  /** Resolves when the signal has aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#pods.run(signal), this.#events.run(signal)]);
  }

  /** The pod as it was last seen, perhaps some seconds ago. */
  lastSeen(uid: string): Pod | undefined {
    return instanceAmong(this.#pods.store.byIndex('uid', uid));
  }

  /** The pod of this name there, as it was last seen. */
  named(name: string): Pod | undefined {
    return this.#pods.store.get(this.#options.namespace, name);
  }

  /** Resolves when the last seen state is as the test says (nothing: all pods are known, and this is none of them), or when the signal aborts. */
  async seen(uid: string, test: (pod: Pod | undefined) => boolean, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      const last = this.lastSeen(uid);
      if (signal.aborted || ((last !== undefined || this.#pods.hasSynced()) && test(last))) resolve();
    };
    const looks = this.#waiting.get(uid) ?? new Set();
    this.#waiting.set(uid, looks.add(look));
    signal.addEventListener('abort', look, { once: true });
    look();
    await promise;
    signal.removeEventListener('abort', look);
    looks.delete(look);
    if (looks.size === 0) this.#waiting.delete(uid);
  }

  /** The pod of this UID, from the server. */
  async find(call: CallOptions, uid: string): Promise<Pod | undefined> {
    return instanceAmong(await this.pods(call, uid));
  }

  /** All of our pods, or all of this UID, from the server. */
  async pods(call: CallOptions, uid?: string): Promise<Pod[]> {
    const { client, dialect, owner, namespace } = this.#options;
    const found: Pod[] = [];
    const labelSelector = podSelector(owner, uid);
    for await (const page of client.resource(dialect.types.pods).pages({ ...call, namespace, labelSelector })) {
      found.push(...page.items);
    }
    return found.filter((pod) => markedRef(pod, owner) !== undefined);
  }

  /** What there is among all of our pods, and the pods that there should not be besides. */
  listing(pods: readonly Pod[]): { readonly listing: Listing; readonly doubles: readonly Double[] } {
    const instances: Instance[] = [];
    const doubles: Double[] = [];
    for (const same of Map.groupBy(pods, (pod) => this.#refOf(pod)?.uid).values()) {
      const kept = instanceAmong(same);
      const instance = kept && this.#instance(kept);
      if (kept === undefined || instance === undefined) continue;
      instances.push(instance);
      for (const pod of same) if (pod !== kept) doubles.push({ ref: instance.ref, pod, kept: nameOf(kept) });
    }
    return { listing: { complete: true, instances }, doubles };
  }

  #refOf(pod: Pod): InstanceRef | undefined {
    return markedRef(pod, this.#options.owner);
  }

  #instance(pod: Pod): Instance | undefined {
    const ref = this.#refOf(pod);
    return ref && observe(ref, pod, (message) => this.#options.dialect.remedyOf(message));
  }

  #changed(pod: Pod): void {
    const ref = this.#refOf(pod);
    if (!ref) return;
    const uid = uidOf(pod);
    this.#refs.set(uid, ref);
    for (const event of this.#early.get(uid) ?? []) this.#said(event);
    this.#early.delete(uid);
    this.#tell(ref);
    this.#wake(ref.uid);
  }

  #agentRestarted(old: Pod, pod: Pod): void {
    const ref = this.#refOf(pod);
    const notice = agentRestart(old, pod);
    if (ref && notice) this.#options.hub.notice(ref, notice);
  }

  #deleted(pod: Pod, by: Evidence): void {
    const { hub } = this.#options;
    const ref = this.#refs.get(uidOf(pod));
    this.#refs.delete(uidOf(pod));
    if (by === 'list') hub.gap();
    if (!ref) return;
    if (this.lastSeen(ref.uid)) this.#tell(ref);
    else if (by === 'watch') hub.gone(ref);
    this.#wake(ref.uid);
  }

  #tell({ uid }: InstanceRef): void {
    const { hub } = this.#options;
    const pods = this.#pods.store.byIndex('uid', uid);
    const pod = instanceAmong(pods);
    const instance = pod && this.#instance(pod);
    if (instance) hub.changed(instance);
    // Only a listing proves that there are several, and ends those that should not be.
    if (pods.length > 1) hub.gap();
  }

  #wake(uid: string): void {
    for (const look of this.#waiting.get(uid) ?? []) look();
  }

  #said(event: Event): void {
    const { dialect } = this.#options;
    // All pods name it, also those that need no login.
    if (dialect.pullSecret !== undefined && event.reason === 'FailedToRetrieveImagePullSecret') return;
    const { uid = '' } = event.involvedObject;
    const ref = this.#refs.get(uid);
    const notice = noticeOf(event, dialect);
    if (ref && notice) {
      const pod = this.lastSeen(ref.uid) ?? { metadata: event.involvedObject };
      this.#options.hub.notice(ref, { ...notice, message: namedAsHere(notice.message, pod, ref) });
    }
    if (ref || !notice) return;
    const [oldest] = this.#early.keys();
    if (this.#early.size >= maxEarlyEvents && oldest !== undefined) this.#early.delete(oldest);
    this.#early.set(uid, [...(this.#early.get(uid) ?? []), event]);
  }
}
