import type { Node, Pod } from '@spillway/kube';
import { isTerminalPhase } from '../../podspec/pod-facts.ts';
import { type Nano, nanoOf } from '../../podspec/quantities.ts';
import { footprint, type Resources } from '../../podspec/resources.ts';

/**
 * How much of the virtual nodes is taken: requests of the pods that are bound there, ended ones excluded, and of those
 * that are being bound. Every change costs the same, however many pods there are.
 */
export class PoolCapacity {
  readonly #allocatable = new Map<string, Resources>();
  readonly #used = new Map<string, Map<string, Nano>>();
  readonly #reservations = new Map<string, { readonly node: string; readonly amounts: Resources }>();

  /** @returns whether there is more of something than before */
  setNode(name: string, node: Node): boolean {
    const before = this.#allocatable.get(name) ?? new Map<string, Nano>();
    const now = new Map(Object.entries(node.status?.allocatable ?? {}).map(([key, text]) => [key, nanoOf(text)]));
    this.#allocatable.set(name, now);
    return [...now].some(([key, amount]) => amount > (before.get(key) ?? 0n));
  }

  removeNode(name: string): void {
    this.#allocatable.delete(name);
  }

  /** Name of a resource of which the node has too little; undefined: there is room. */
  shortage(node: string, amounts: Resources): string | undefined {
    for (const [name, amount] of amounts) {
      if (amount > 0n && amount > this.#free(node, name)) return name;
    }
    return undefined;
  }

  /** How many times such amounts fit on the node. */
  times(node: string, amounts: Resources): number {
    const each = [...amounts].filter(([, amount]) => amount > 0n);
    return Math.max(0, Math.min(...each.map(([name, amount]) => Number(this.#free(node, name) / amount))));
  }

  /** For a pod that is being bound, or is bound. A pod is counted once: the newest call counts. */
  reserve(uid: string, node: string, amounts: Resources): void {
    this.release(uid);
    this.#reservations.set(uid, { node, amounts });
    this.#add(node, amounts, 1n);
  }

  /** For as many pods that only might come. */
  take(node: string, amounts: Resources, times: number): void {
    this.#add(node, amounts, BigInt(times));
  }

  /** @returns whether something was reserved for it */
  release(uid: string): boolean {
    const reservation = this.#reservations.get(uid);
    if (reservation === undefined) return false;
    this.#reservations.delete(uid);
    this.#add(reservation.node, reservation.amounts, -1n);
    return true;
  }

  /** As the watch shows a pod that is on a virtual node. @returns whether it has given back what it took */
  observe(uid: string, node: string, pod: Pod): boolean {
    if (isTerminalPhase(pod.status?.phase)) return this.release(uid);
    this.reserve(uid, node, footprint(pod));
    return false;
  }

  #free(node: string, name: string): Nano {
    return (this.#allocatable.get(node)?.get(name) ?? 0n) - (this.#used.get(node)?.get(name) ?? 0n);
  }

  #add(node: string, amounts: Resources, times: bigint): void {
    let used = this.#used.get(node);
    if (used === undefined) this.#used.set(node, (used = new Map()));
    for (const [name, amount] of amounts) used.set(name, (used.get(name) ?? 0n) + times * amount);
  }
}
