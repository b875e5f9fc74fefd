import { type Pod, type Store, uidOf } from '@spillway/kube';
import type { Instance } from '../backends/backend.ts';
import { explain, type Explanation } from './explain.ts';
import { placeholderText } from './intake/placeholder.ts';
import type { Registry } from './registry.ts';

/** A pod as its own API sees it. */
export interface KnownPod {
  readonly pod: Pod;
  /** What the backend runs for it; absent before it was created and after it is gone. */
  readonly instance?: Instance;
  /** Why nothing runs for the pod although it is shown as running. */
  readonly placeholder?: string;
}

/** For who needs to know nothing else of them. */
export type PodLookup = Pick<KnownPods, 'byName' | 'all' | 'explain'>;

/** The pods of one virtual node, as they are known now. Answers come from memory. */
export class KnownPods {
  readonly #store: Store<Pod>;
  readonly #registry: Pick<Registry, 'get'>;

  constructor(store: Store<Pod>, registry: Pick<Registry, 'get'>) {
    this.#store = store;
    this.#registry = registry;
  }

  byName(namespace: string, name: string): KnownPod | undefined {
    const pod = this.#store.get(namespace, name);
    return pod && this.#known(pod);
  }

  *all(): Iterable<KnownPod> {
    for (const pod of this.#store.values()) yield this.#known(pod);
  }

  /** What the backend runs for them. */
  *instances(): Iterable<Instance> {
    for (const { instance } of this.all()) if (instance) yield instance;
  }

  /** What is known of a pod and intended with it; undefined: there is none of this name. */
  explain(namespace: string, name: string): Explanation | undefined {
    const pod = this.#store.get(namespace, name);
    const actor = pod && this.#registry.get(uidOf(pod));
    return actor && explain(actor.state, actor.timeline);
  }

  #known(pod: Pod): KnownPod {
    const state = this.#registry.get(uidOf(pod))?.state;
    if (state?.placeholder) return { pod, placeholder: placeholderText };
    return state?.observed.kind === 'present' ? { pod, instance: state.observed.instance } : { pod };
  }
}
