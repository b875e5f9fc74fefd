import { Informer, type KubeClient, namespaceOf, type Pod, pods } from '@spillway/kube';
import { reviewRules } from '../src/podspec/review/rules.ts';
import { refusedConditions } from '../src/pods/status/transient-conditions.ts';

const refusedReason = 'NotSupportedByPool';

/** Codes of what a pod, or a change of it, is refused for, in the words of docs/not-burstable.md; empty: it is not. */
export function refusalCodesOf({ status }: Pod): readonly string[] {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const waiting = statuses.flatMap(({ state }) =>
    state?.waiting?.reason === refusedReason ? [state.waiting.message ?? ''] : [],
  );
  const changes = (status?.conditions ?? []).filter(({ type }) => refusedConditions.has(type));
  const texts = [...waiting, ...changes.map(({ message = '' }) => message)];
  return Object.entries(reviewRules).flatMap(([code, { message }]) =>
    texts.some((text) => text.includes(message)) ? [code] : [],
  );
}

/** Pods of tests that were refused while it watched: afterwards their namespaces are gone. */
export class RefusalWatch implements AsyncDisposable {
  readonly #codes = new Map<string, Set<string>>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  static async open(client: KubeClient): Promise<RefusalWatch> {
    const informer = new Informer({ client, type: pods });
    const watch = new RefusalWatch(informer);
    await informer.synced;
    return watch;
  }

  private constructor(informer: Informer<Pod>) {
    informer.subscribe({ added: (pod) => this.#see(pod), changed: (_, pod) => this.#see(pod) });
    this.#running = informer.run(this.#stop.signal);
  }

  /** What pods of these namespaces were refused for. */
  codesIn(namespaces: readonly string[]): readonly string[] {
    return [...new Set(namespaces.flatMap((namespace) => [...(this.#codes.get(namespace) ?? [])]))].toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #see(pod: Pod): void {
    const namespace = namespaceOf(pod);
    for (const code of refusalCodesOf(pod)) {
      const codes = this.#codes.get(namespace) ?? new Set();
      this.#codes.set(namespace, codes.add(code));
    }
  }
}
