// An import would load all that the module can give, such as WebCrypto.
const { createHash } = process.getBuiltinModule('node:crypto');

/** 127.64.0.0/10: of the loopback network, so that listening there takes no right, and far from where others listen. */
const base = (127 << 24) | (64 << 16);
const size = 2 ** 22;

/**
 * Addresses of Services, one each. They follow from the name, so that an agent that was restarted gives the same ones again, unless
 * two names share one: then the second gets the next that is free.
 */
export class LoopbackAddresses {
  readonly #byKey = new Map<string, string>();
  readonly #byAddress = new Map<string, string>();

  addressOf(key: string): string {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    let number = createHash('sha256').update(key).digest().readUInt32BE(0) % size;
    // The first and the last are left out: some programs take them for a network and its broadcast.
    while (number === 0 || number === size - 1 || this.#byAddress.has(written(number))) number = (number + 1) % size;
    const address = written(number);
    this.#byKey.set(key, address);
    this.#byAddress.set(address, key);
    return address;
  }

  keyAt(address: string): string | undefined {
    return this.#byAddress.get(address);
  }

  release(key: string): void {
    const address = this.#byKey.get(key);
    if (address === undefined) return;
    this.#byKey.delete(key);
    this.#byAddress.delete(address);
  }
}

function written(number: number): string {
  const value = base + number;
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}
