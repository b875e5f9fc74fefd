import { TokenBucket } from '@spillway/kube';

export interface Share {
  /** Questions a second. */
  readonly perSecond: number;
  /** How many may be asked at once after a pause. */
  readonly burst: number;
  /** How many may be without an answer. */
  readonly underWay: number;
}

export interface StrangerQuestionsOptions {
  /** Default: 50 a second, 100 after a pause, 32 without an answer. */
  readonly inAll?: Share;
  /** Default: 5 a second, 20 after a pause, 8 without an answer. */
  readonly perAddress?: Share;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Account {
  readonly bucket: TokenBucket;
  underWay: number;
}

const maxAddresses = 1024;

/** How many questions the API server is asked about tokens that nobody has vouched for: so many for each address, so many in all. */
export class StrangerQuestions {
  readonly #shares: { readonly inAll: Share; readonly perAddress: Share };
  readonly #now: () => number;
  readonly #all: Account;
  /** In order of use. */
  readonly #addresses = new Map<string, Account>();

  constructor({
    inAll = { perSecond: 50, burst: 100, underWay: 32 },
    perAddress = { perSecond: 5, burst: 20, underWay: 8 },
    now,
  }: StrangerQuestionsOptions) {
    this.#shares = { inAll, perAddress };
    this.#now = now;
    this.#all = account(inAll, now());
  }

  /** Asks, or answers undefined when this is one too many. */
  async ask<T>(address: string, question: () => Promise<T>): Promise<{ readonly answer: T } | undefined> {
    const own = this.#account(address);
    const { inAll, perAddress } = this.#shares;
    // The address first: what it is denied takes nothing from the others.
    if (own.underWay >= perAddress.underWay || this.#all.underWay >= inAll.underWay) return undefined;
    if (own.bucket.take(this.#now()) > 0 || this.#all.bucket.take(this.#now()) > 0) return undefined;
    const accounts = [own, this.#all];
    for (const each of accounts) each.underWay += 1;
    try {
      return { answer: await question() };
    } finally {
      for (const each of accounts) each.underWay -= 1;
    }
  }

  #account(address: string): Account {
    const found = this.#addresses.get(address) ?? account(this.#shares.perAddress, this.#now());
    this.#addresses.delete(address);
    this.#addresses.set(address, found);
    for (const oldest of this.#addresses.keys()) {
      if (this.#addresses.size <= maxAddresses) break;
      this.#addresses.delete(oldest);
    }
    return found;
  }
}

function account({ perSecond, burst }: Share, now: number): Account {
  return { bucket: new TokenBucket({ rate: perSecond, burst, now }), underWay: 0 };
}
