import { type ClientOptions, WebSocket } from 'ws';
import {
  type AgentMessage,
  linkPath,
  linkProtocol,
  linkServerName,
  maxNamesInMessage,
  maxServerMessageBytes,
  type ServerMessage,
  type ServiceName,
} from '../protocol/messages.ts';
import { readServerMessage } from '../protocol/server-message.ts';
import { pauseMs } from './reconnect.ts';

export interface LinkOptions {
  /** `HOST:PORT` of each; one that does not answer is followed by the next. */
  readonly servers: readonly string[];
  /** Those who may vouch for the server, PEM. */
  readonly authorities: string;
  /** Read for each attempt: it is renewed. */
  readonly token: () => Promise<string>;
  /** All that is of interest, for a new stream. */
  readonly names: () => readonly ServiceName[];
  readonly onMessage: (message: ServerMessage) => void;
  readonly onState: (state: 'open' | 'lost', why?: string) => void;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

/** The server is heard at least every 20 s. */
const silenceMs = 50_000;
const handshakeMs = 10_000;

/** The stream to the link server, opened again whenever it is lost. */
export class Link {
  readonly #options: LinkOptions;
  #authorities: string;
  #socket: WebSocket | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#authorities = options.authorities;
  }

  /** Resolves when `signal` is aborted and the stream is closed. */
  async run(signal: AbortSignal): Promise<void> {
    const { servers, sleep, random } = this.#options;
    let turn = Math.floor(random() * servers.length);
    let failures = 0;
    while (!signal.aborted) {
      const server = servers[turn % servers.length];
      if (server === undefined) return;
      const wasOpen = await this.#follow(server, signal);
      failures = wasOpen ? 0 : failures + 1;
      turn += 1;
      // With several servers the others are tried before anybody waits for long.
      await sleep(pauseMs(Math.floor(failures / servers.length), random()), signal);
    }
  }

  follow(name: ServiceName): void {
    this.#send({ follow: [name] });
  }

  unfollow(name: ServiceName): void {
    this.#send({ unfollow: [name] });
  }

  #send(message: AgentMessage): void {
    // Without a stream the name is asked for on the next one.
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Follows one stream to its end. @returns whether it was ever open */
  async #follow(server: string, signal: AbortSignal): Promise<boolean> {
    const { token, names, onMessage, onState } = this.#options;
    let bearer: string;
    try {
      bearer = await token();
    } catch (error) {
      onState('lost', `cannot read the token: ${String(error)}`);
      return false;
    }
    return await new Promise((resolve) => {
      const options: ClientOptions & { readonly servername: string } = {
        ca: this.#authorities,
        servername: linkServerName,
        headers: { authorization: `Bearer ${bearer.trim()}` },
        handshakeTimeout: handshakeMs,
        maxPayload: maxServerMessageBytes,
        perMessageDeflate: false,
      };
      const socket = new WebSocket(`wss://${server}${linkPath}`, [linkProtocol], options);
      let wasOpen = false;
      let why = 'the server has closed the stream';
      const silence = setTimeout(() => socket.terminate(), silenceMs);
      const stop = (): void => socket.terminate();
      signal.addEventListener('abort', stop, { once: true });
      socket.on('open', () => {
        wasOpen = true;
        this.#socket = socket;
        const all = names();
        for (let at = 0; at < all.length; at += maxNamesInMessage) {
          socket.send(JSON.stringify({ follow: all.slice(at, at + maxNamesInMessage) } satisfies AgentMessage));
        }
        onState('open');
      });
      socket.on('ping', () => silence.refresh());
      socket.on('message', (data, isBinary) => {
        silence.refresh();
        if (isBinary || !Buffer.isBuffer(data)) return;
        const message = readServerMessage(data.toString('utf8'));
        if (message === undefined) return;
        this.#authorities = message.authorities ?? this.#authorities;
        onMessage(message);
      });
      socket.on('error', (error) => (why = error.message));
      socket.on('close', () => {
        clearTimeout(silence);
        signal.removeEventListener('abort', stop);
        if (this.#socket === socket) this.#socket = undefined;
        if (!signal.aborted) onState('lost', why);
        resolve(wasOpen);
      });
    });
  }
}
