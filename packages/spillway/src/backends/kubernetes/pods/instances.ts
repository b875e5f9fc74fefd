import {
  type CallOptions,
  type Evidence,
  type Event,
  Informer,
  type KubeClient,
  type Logger,
  type Pod,
  uidOf,
} from '@spillway/kube';
import type { Instance, InstanceRef, Listing, Owner } from '../../backend.ts';
import type { EventHub } from '../../event-hub.ts';
import type { Dialect } from '../dialect.ts';
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

/** Our pods in the other cluster: told as they change, and listed live. */
export class Instances {
  readonly #options: InstancesOptions;
  readonly #pods: Informer<Pod>;
  readonly #events: Informer<Event>;
  /** By the UID that the pod has there. */
  readonly #refs = new Map<string, InstanceRef>();
  readonly #early = new Map<string, Event[]>();

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
      changed: (_old, pod) => changed(pod),
      deleted: (pod, by) => this.#deleted(pod, by),
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
    const [pod] = this.#pods.store.byIndex('uid', uid);
    return pod;
  }

  /** The pod of this name there, as it was last seen. */
  named(name: string): Pod | undefined {
    return this.#pods.store.get(this.#options.namespace, name);
  }

  /** Resolves when the last seen state is as the test says, or when the signal aborts. */
  async seen(uid: string, test: (pod: Pod | undefined) => boolean, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (signal.aborted || test(this.lastSeen(uid))) resolve();
    };
    const subscription = this.#pods.subscribe({ added: look, changed: look, deleted: look, synced: look });
    signal.addEventListener('abort', look, { once: true });
    look();
    await promise;
    signal.removeEventListener('abort', look);
    subscription[Symbol.dispose]();
  }

  /** All of our pods, from the server. */
  async pods(call: CallOptions, uid?: string): Promise<Pod[]> {
    const { client, dialect, owner, namespace } = this.#options;
    const found: Pod[] = [];
    const labelSelector = podSelector(owner, uid);
    for await (const page of client.resource(dialect.types.pods).pages({ ...call, namespace, labelSelector })) {
      found.push(...page.items);
    }
    return found.filter((pod) => markedRef(pod, owner) !== undefined);
  }

  listing(pods: readonly Pod[]): Listing {
    return { complete: true, instances: pods.flatMap((pod) => this.#instance(pod) ?? []) };
  }

  #instance(pod: Pod): Instance | undefined {
    const ref = markedRef(pod, this.#options.owner);
    return ref && observe(ref, pod, (message) => this.#options.dialect.remedyOf(message));
  }

  #changed(pod: Pod): void {
    const instance = this.#instance(pod);
    if (!instance) return;
    const uid = uidOf(pod);
    this.#refs.set(uid, instance.ref);
    for (const event of this.#early.get(uid) ?? []) this.#said(event);
    this.#early.delete(uid);
    this.#options.hub.changed(instance);
  }

  #deleted(pod: Pod, by: Evidence): void {
    const ref = this.#refs.get(uidOf(pod));
    this.#refs.delete(uidOf(pod));
    if (by === 'list') this.#options.hub.gap();
    else if (ref) this.#options.hub.gone(ref);
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
