import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { errorMessage } from '../errors.ts';
import { apiRefusal } from '../refusal.ts';
import { refuse } from './answer.ts';

export interface ServerOptions {
  /** Without a certificate it speaks plain HTTP, for loopback only. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly host: string;
  /** Default: a free one, kept over restarts */
  readonly port?: number;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, early: Buffer) => Promise<void>;
}

/** A server that can go away with all its connections and come back on the same port. */
export class RestartableServer {
  readonly #options: ServerOptions;
  #server: Server | undefined;
  readonly #sockets = new Set<Duplex>();
  #port: number;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://${this.#options.host}:${this.#port}`;
  }

  async start(): Promise<void> {
    const { tls, host, upgrade } = this.#options;
    const listener: RequestListener = (request, response) => void this.#serve(request, response);
    const server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener);
    // Longer than clients keep theirs, so that they never meet a connection that is just being closed.
    server.keepAliveTimeout = 120_000;
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Duplex) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    if (upgrade !== undefined) {
      server.on(
        'upgrade',
        (request, socket, early) => void upgrade(request, socket, early).catch(() => socket.destroy()),
      );
    }
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, host, resolve);
    });
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    this.#server = server;
  }

  /** Resolves when nothing is open any more. May be called twice. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#options.handle(request, response);
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy();
      else refuse(response, apiRefusal(500, 'InternalError', errorMessage(error)));
    }
  }
}
