interface Entry<K> {
  readonly key: K;
  at: number;
  index: number;
}

/** Keys with the times when they are due: a binary heap in which each key is found again. All changes are O(log n). */
export class DelayHeap<K> {
  readonly #heap: Entry<K>[] = [];
  readonly #entries = new Map<K, Entry<K>>();

  get size(): number {
    return this.#heap.length;
  }

  /** When the first key is due */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** A key that is there already keeps the earlier time. */
  add(key: K, at: number): void {
    const known = this.#entries.get(key);
    if (known === undefined) {
      const entry = { key, at, index: this.#heap.length };
      this.#entries.set(key, entry);
      this.#heap.push(entry);
      this.#up(entry);
    } else if (at < known.at) {
      known.at = at;
      this.#up(known);
    }
  }

  /** Takes out the first key if it is due. */
  takeDue(now: number): { readonly key: K } | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    this.#entries.delete(first.key);
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) {
      this.#place(last, 0);
      this.#down(last);
    }
    return first;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#entries.clear();
  }

  #up(entry: Entry<K>): void {
    for (;;) {
      const parent = entry.index === 0 ? undefined : this.#heap[(entry.index - 1) >> 1];
      if (parent === undefined || parent.at <= entry.at) return;
      this.#swap(entry, parent);
    }
  }

  #down(entry: Entry<K>): void {
    for (;;) {
      const left = this.#heap[entry.index * 2 + 1];
      const right = this.#heap[entry.index * 2 + 2];
      const child = right !== undefined && left !== undefined && right.at < left.at ? right : left;
      if (child === undefined || child.at >= entry.at) return;
      this.#swap(entry, child);
    }
  }

  #swap(a: Entry<K>, b: Entry<K>): void {
    const { index } = a;
    this.#place(a, b.index);
    this.#place(b, index);
  }

  #place(entry: Entry<K>, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }
}
