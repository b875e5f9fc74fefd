import { keyOf, type LinkService, maxFollowed, type ServerMessage, type ServiceName } from '../protocol/messages.ts';

export interface BookOptions {
  /** A name is of interest from now on. */
  readonly follow: (name: ServiceName) => void;
  /** And no more. */
  readonly unfollow: (name: ServiceName) => void;
  /** A Service is otherwise than before; undefined: it is gone, or nobody asks for it any more. */
  readonly onChange: (key: string, service: LinkService | undefined) => void;
  /** Something uses it: it must not be forgotten. */
  readonly isInUse: (key: string) => boolean;
  /** The server answers: what is forgotten can be learnt again. */
  readonly isLinked: () => boolean;
  readonly now: () => number;
  /** Default: 4,096. */
  readonly maxNames?: number;
}

interface Entry {
  readonly name: ServiceName;
  /** Undefined: not known yet. */
  state: LinkService | 'absent' | undefined;
  usedMs: number;
  waiting: ((state: LinkService | 'absent') => void)[];
}

/** How long names are followed that nobody asks for: those that exist, and those that do not. */
const keptMs = { service: 600_000, absent: 60_000 };
/** How long a question waits for the server's answer. Resolvers ask again after 5 s. */
const patienceMs = 2000;

/**
 * The Services that the pod has asked for, as they were last heard of. In order of use, so that the name that is forgotten first is
 * the one that nobody has asked for the longest. Search paths ask for many names that do not exist: they are forgotten sooner.
 */
export class Book {
  readonly #options: BookOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: BookOptions) {
    this.#options = options;
  }

  /** What is followed: all of it is to be asked for again on a new stream. */
  get names(): readonly ServiceName[] {
    return Array.from(this.#entries.values(), ({ name }) => name);
  }

  /** Undefined: it is not known, and nobody has said so in time. Never rejects. */
  async find(namespace: string, name: string): Promise<LinkService | 'absent' | undefined> {
    const key = keyOf({ namespace, name });
    // No such object can be, whatever the server says.
    if (namespace.length > 63 || name.length > 63) return 'absent';
    const entry = this.#entries.get(key) ?? this.#added([namespace, name]);
    if (entry === undefined) return undefined;
    entry.usedMs = this.#options.now();
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (entry.state !== undefined) return entry.state;
    return await new Promise((resolve) => {
      const timer = setTimeout(() => {
        entry.waiting = entry.waiting.filter((each) => each !== settle);
        resolve(undefined);
      }, patienceMs);
      const settle = (state: LinkService | 'absent'): void => {
        clearTimeout(timer);
        resolve(state);
      };
      entry.waiting.push(settle);
    });
  }

  /** What the server says of names that were asked for. */
  apply({ service, absent }: ServerMessage): void {
    if (service) this.#set(keyOf(service), service);
    if (absent) this.#set(keyOf({ namespace: absent[0], name: absent[1] }), 'absent');
  }

  /** Forgets what nobody has asked for. To be called now and then. */
  tidy(): void {
    if (!this.#options.isLinked()) return;
    const now = this.#options.now();
    for (const [key, { state, usedMs }] of this.#entries) {
      const kept = typeof state === 'object' ? keptMs.service : keptMs.absent;
      if (now - usedMs > kept && !this.#options.isInUse(key)) this.#forget(key);
    }
  }

  #set(key: string, state: LinkService | 'absent'): void {
    const entry = this.#entries.get(key);
    // It was forgotten while the message was on its way.
    if (entry === undefined) return;
    const had = entry.state;
    entry.state = state;
    if (typeof state === 'object' || typeof had === 'object') {
      this.#options.onChange(key, typeof state === 'object' ? state : undefined);
    }
    for (const settle of entry.waiting.splice(0)) settle(state);
  }

  #added(name: ServiceName): Entry | undefined {
    const { maxNames = maxFollowed, now, follow } = this.#options;
    if (this.#entries.size >= maxNames) {
      const oldest = this.#oldestUnused();
      if (oldest === undefined) return undefined;
      this.#forget(oldest);
    }
    const entry: Entry = { name, state: undefined, usedMs: now(), waiting: [] };
    this.#entries.set(keyOf({ namespace: name[0], name: name[1] }), entry);
    follow(name);
    return entry;
  }

  #oldestUnused(): string | undefined {
    for (const [key, { waiting }] of this.#entries) {
      if (waiting.length === 0 && !this.#options.isInUse(key)) return key;
    }
    return undefined;
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.waiting.length > 0) return;
    this.#entries.delete(key);
    if (typeof entry.state === 'object') this.#options.onChange(key, undefined);
    this.#options.unfollow(entry.name);
  }
}
