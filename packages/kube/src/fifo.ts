/** A queue with O(1) push and shift: a chain of fixed blocks, so that nothing is ever moved. */
export class Fifo<T> {
  #head: Block<T>;
  #tail: Block<T>;
  #length = 0;

  constructor() {
    this.#head = this.#tail = newBlock();
  }

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#tail.end === blockSize) {
      const block = newBlock<T>();
      this.#tail.next = block;
      this.#tail = block;
    }
    this.#tail.items[this.#tail.end++] = item;
    this.#length++;
  }

  peek(): T | undefined {
    return this.#head.items[this.#head.start];
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const block = this.#head;
    const item = block.items[block.start];
    block.items[block.start++] = undefined;
    this.#length--;
    if (this.#length === 0) {
      block.start = block.end = 0;
    } else if (block.start === blockSize && block.next !== undefined) {
      this.#head = block.next;
    }
    return item;
  }
}

const blockSize = 64;

interface Block<T> {
  readonly items: (T | undefined)[];
  start: number;
  end: number;
  next: Block<T> | undefined;
}

const newBlock = <T>(): Block<T> => ({ items: Array.from({ length: blockSize }), start: 0, end: 0, next: undefined });
