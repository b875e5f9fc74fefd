import { BackendError } from '../backend.ts';

/** Hands out the addresses of an IPv4 network, each to one holder, the lowest free one after the last first. */
export class Addresses {
  readonly #first: number;
  readonly #count: number;
  readonly #used = new Set<number>();
  #next = 0;

  constructor(cidr: string) {
    const [, ...parts] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr) ?? [];
    const [a = 0, b = 0, c = 0, d = 0, bits = 0] = parts.map(Number);
    if (parts.length === 0 || [a, b, c, d].some((part) => part > 255) || bits < 8 || bits > 30) {
      throw new BackendError('invalid', `podCidr "${cidr}" is not an IPv4 network such as 10.246.0.0/16`);
    }
    const size = 2 ** (32 - bits);
    const address = ((a * 256 + b) * 256 + c) * 256 + d;
    // Neither the network's own address nor the broadcast address.
    this.#first = address - (address % size) + 1;
    this.#count = size - 2;
  }

  take(): string {
    for (let tried = 0; tried < this.#count; tried++) {
      const index = this.#next;
      this.#next = (this.#next + 1) % this.#count;
      if (this.#used.has(index)) continue;
      this.#used.add(index);
      return format(this.#first + index);
    }
    throw new BackendError('soldOut', `all ${this.#count} pod addresses are in use`);
  }

  /** Marks an address as taken that is known from before. */
  keep(address: string): void {
    this.#used.add(parse(address) - this.#first);
  }

  release(address: string): void {
    this.#used.delete(parse(address) - this.#first);
  }
}

function parse(address: string): number {
  return address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

function format(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
