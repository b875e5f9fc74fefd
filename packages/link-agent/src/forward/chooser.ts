import type { LinkService, ServicePort } from '../protocol/messages.ts';
import { inOrder, isSame, type Target, targetsOf } from './targets.ts';

export interface ChooserOptions {
  readonly now: () => number;
  readonly random: () => number;
}

/** How long an endpoint that did not answer is tried last. */
const failureMs = 5000;

/** Chooses endpoints for the connections to one port of a Service, as it is now. */
export class Chooser {
  readonly #options: ChooserOptions;
  readonly #port: ServicePort;
  readonly #failed = new Map<string, number>();
  #targets: readonly Target[] = [];
  #affinityMs = 0;
  #last: { readonly target: Target; readonly atMs: number } | undefined;

  constructor(service: LinkService, port: ServicePort, options: ChooserOptions) {
    this.#options = options;
    this.#port = port;
    this.update(service);
  }

  update(service: LinkService): void {
    this.#targets = targetsOf(service, this.#port);
    this.#affinityMs = (service.affinitySeconds ?? 0) * 1000;
    this.#failed.clear();
  }

  get isEmpty(): boolean {
    return this.#targets.length === 0;
  }

  has(target: Target): boolean {
    return this.#targets.some((each) => isSame(each, target));
  }

  /** The best first. */
  candidates(): readonly Target[] {
    const { now, random } = this.#options;
    const isFresh = this.#last !== undefined && now() - this.#last.atMs < this.#affinityMs;
    return inOrder(this.#targets, {
      preferred: isFresh ? this.#last?.target : undefined,
      failedLately: (target) => now() - (this.#failed.get(keyOf(target)) ?? -failureMs) < failureMs,
      random,
    });
  }

  connected(target: Target): void {
    this.#failed.delete(keyOf(target));
    if (this.#affinityMs > 0) this.#last = { target, atMs: this.#options.now() };
  }

  failed(target: Target): void {
    this.#failed.set(keyOf(target), this.#options.now());
  }
}

const keyOf = ({ address, port }: Target): string => `${address}:${port}`;
