import { nameOf, type Node } from '@spillway/kube';
import { virtualNodeType } from '../../podspec/contract.ts';

/** The nodes of the cluster, by what they are to placement. */
export class ClusterNodes {
  readonly #pools: ReadonlySet<string>;
  readonly #virtual = new Map<string, Node>();
  readonly #real = new Map<string, Node>();

  /** @param pools names of the virtual nodes that are served */
  constructor(pools: readonly string[]) {
    this.#pools = new Set(pools);
  }

  /** @returns whether something has changed that decides about pods: heartbeats do not */
  set(node: Node): boolean {
    const name = nameOf(node);
    const isVirtual = this.isVirtual(name) || node.metadata?.labels?.[virtualNodeType.key] === virtualNodeType.value;
    const nodes = isVirtual ? this.#virtual : this.#real;
    const before = nodes.get(name);
    nodes.set(name, node);
    return before === undefined || decisive(before) !== decisive(node);
  }

  delete(node: Node): void {
    this.#virtual.delete(nameOf(node));
    this.#real.delete(nameOf(node));
  }

  /** Of a pool that is served; undefined: not registered. */
  pool(name: string): Node | undefined {
    return this.#pools.has(name) ? this.#virtual.get(name) : undefined;
  }

  real(): Iterable<Node> {
    return this.#real.values();
  }

  /** Also of a virtual node that is not registered now. */
  isVirtual(name: string): boolean {
    return this.#pools.has(name) || this.#virtual.has(name);
  }

  isPool(name: string): boolean {
    return this.#pools.has(name);
  }
}

function decisive({ metadata, spec }: Node): string {
  return JSON.stringify([metadata?.labels, spec?.taints, spec?.unschedulable]);
}
