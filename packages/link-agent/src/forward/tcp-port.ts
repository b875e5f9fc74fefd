import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { adopt } from './adopt.ts';
import { Carrier } from './carrier.ts';
import type { Chooser } from './chooser.ts';
import type { Dial } from './dial.ts';

export interface TcpPortOptions {
  readonly address: string;
  readonly port: number;
  readonly chooser: Chooser;
  readonly dial: Dial;
}

const backlog = 1024;
/** How many endpoints are tried for a connection, and how long each. */
const attempts = 3;
const dialTimeoutMs = 2000;
/** A peer that is gone without a word is noticed. */
const keepAliveMs = 60_000;

/** One TCP port of a Service at its loopback address. */
export class TcpPort {
  readonly #options: TcpPortOptions;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(options: TcpPortOptions) {
    this.#options = options;
    const form = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true };
    this.#server = createServer(form, (socket) => void this.#forward(socket));
  }

  /** @throws when the port is taken */
  async listen(): Promise<void> {
    const { port, address: host } = this.#options;
    this.#server.listen({ port, host, backlog });
    await once(this.#server, 'listening');
    this.#server.on('error', () => undefined);
  }

  get connections(): number {
    return this.#open.size;
  }

  /** No new connections; those that are open stay. */
  close(): void {
    this.#server.close();
  }

  destroy(): void {
    this.close();
    for (const socket of this.#open) socket.destroy();
  }

  async #forward(accepted: Socket): Promise<void> {
    const [there, back] = [new Carrier(), new Carrier()];
    const client = adopt(accepted, there.onread);
    this.#open.add(client);
    client.once('close', () => this.#open.delete(client));
    client.on('error', () => client.destroy());
    const endpoint = await this.#reach(client, back);
    if (endpoint === undefined || client.destroyed) {
      // As if nobody had listened.
      client.resetAndDestroy();
      endpoint?.destroy();
      return;
    }
    join(client, endpoint);
    join(endpoint, client);
    there.start(client, endpoint);
    back.start(endpoint, client);
  }

  async #reach(client: Socket, { onread }: Carrier): Promise<Socket | undefined> {
    const { chooser, dial } = this.#options;
    for (const target of chooser.candidates().slice(0, attempts)) {
      if (client.destroyed) return undefined;
      try {
        const socket = await dial(target, dialTimeoutMs, onread);
        chooser.connected(target);
        return socket;
      } catch {
        chooser.failed(target);
      }
    }
    return undefined;
  }
}

/** Each direction ends by itself, and what breaks one side breaks the other. */
function join(from: Socket, to: Socket): void {
  from.setKeepAlive(true, keepAliveMs);
  from.once('error', () => to.resetAndDestroy());
  from.once('close', (hadError) => {
    if (!hadError && !from.readableEnded) to.destroy();
  });
}
