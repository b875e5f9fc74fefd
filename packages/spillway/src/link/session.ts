import { objectKey } from '@spillway/kube';
import { type LinkService, maxFollowed, type ServerMessage, type ServiceName } from '@spillway/link-agent';
import { readAgentMessage } from './agent-message.ts';

/** The way to one agent. */
export interface Outlet {
  /** @param sent is called when the message has left */
  send(text: string, sent: () => void): void;
  /** Of what was sent and has not left. */
  readonly bufferedBytes: number;
  close(why: string): void;
}

export interface SessionOptions {
  readonly outlet: Outlet;
  readonly catalogue: {
    readonly hasSynced: boolean;
    get(namespace: string, name: string): LinkService | undefined;
    resolvers(): readonly string[];
  };
  /** PEM. */
  readonly authorities: string;
  /** This session wants to be told when the key changes, from now on or no more. */
  readonly onFollow: (key: string) => void;
  readonly onUnfollow: (key: string) => void;
  readonly onSent: () => void;
}

/** More is not put into the buffer of an agent that does not read. */
const maxBufferedBytes = 256 * 1024;

/**
 * What one agent follows, and what of it has to be sent. A Service that changes ten times while the agent does not read is sent once,
 * as it is then.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #followed = new Map<string, ServiceName>();
  /** Keys of what has changed, in the order of the changes. */
  readonly #due = new Set<string>();
  #resolversDue = true;
  #authoritiesDue: string | undefined;
  #scheduled = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#authoritiesDue = options.authorities;
    this.#schedule();
  }

  get size(): number {
    return this.#followed.size;
  }

  get followed(): Iterable<string> {
    return this.#followed.keys();
  }

  received(text: string): void {
    const { outlet, onFollow, onUnfollow } = this.#options;
    const message = readAgentMessage(text);
    if (message === undefined) {
      outlet.close('not a message of the protocol');
      return;
    }
    for (const name of message.unfollow ?? []) {
      const key = objectKey(...name);
      if (!this.#followed.delete(key)) continue;
      this.#due.delete(key);
      onUnfollow(key);
    }
    for (const name of message.follow ?? []) {
      const key = objectKey(...name);
      if (!this.#followed.has(key)) {
        if (this.#followed.size >= maxFollowed) {
          outlet.close(`more than ${maxFollowed} Services are followed`);
          return;
        }
        this.#followed.set(key, name);
        onFollow(key);
      }
      this.#due.add(key);
    }
    this.#schedule();
  }

  /** The Service with this key may be otherwise than before. */
  changed(key: string): void {
    if (!this.#followed.has(key)) return;
    this.#due.add(key);
    this.#schedule();
  }

  resolversChanged(): void {
    this.#resolversDue = true;
    this.#schedule();
  }

  /** PEM. */
  authoritiesChanged(authorities: string): void {
    this.#authoritiesDue = authorities;
    this.#schedule();
  }

  /** Everything is known now. */
  synced(): void {
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { outlet, catalogue } = this.#options;
    if (this.#authoritiesDue !== undefined) {
      const authorities = this.#authoritiesDue;
      this.#authoritiesDue = undefined;
      this.#send(JSON.stringify({ authorities } satisfies ServerMessage));
    }
    // That there is no such Service can only be said when all are known.
    if (!catalogue.hasSynced) return;
    if (this.#resolversDue) {
      this.#resolversDue = false;
      this.#send(JSON.stringify({ resolvers: catalogue.resolvers() } satisfies ServerMessage));
    }
    for (const key of this.#due) {
      if (outlet.bufferedBytes > maxBufferedBytes) return;
      this.#due.delete(key);
      const name = this.#followed.get(key);
      if (name === undefined) continue;
      const service = catalogue.get(...name);
      this.#send(service ? textOf(service) : JSON.stringify({ absent: name } satisfies ServerMessage));
    }
  }

  #send(text: string): void {
    const { outlet, onSent } = this.#options;
    onSent();
    outlet.send(text, () => {
      if (this.#due.size > 0) this.#schedule();
    });
  }
}

/** One text for all agents, as long as the Service stays as it is. */
const texts = new WeakMap<LinkService, string>();

function textOf(service: LinkService): string {
  const known = texts.get(service);
  if (known !== undefined) return known;
  const text = JSON.stringify({ service } satisfies ServerMessage);
  texts.set(service, text);
  return text;
}
