import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { ClusterConfig } from '../src/config/cluster-config.ts';
import { staticCredentials } from '../src/config/credentials.ts';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Handler = (request: SeenRequest, response: ServerResponse, socket: Socket) => unknown;

/** An HTTP server of the test's own making, for faults that a real API server cannot be made to show. */
export class FakeApiServer implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  readonly url: string;
  readonly #server: ReturnType<typeof createServer>;
  readonly #sockets = new Set<Socket>();
  /** Connections that were ever opened */
  connections = 0;

  private constructor(server: ReturnType<typeof createServer>, url: string) {
    this.#server = server;
    this.url = url;
    server.on('connection', (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
  }

  static async start(handler: Handler, options: { tls?: ServerOptions; port?: number } = {}): Promise<FakeApiServer> {
    const listener = (message: IncomingMessage, response: ServerResponse): void => {
      void fake.#answer(handler, message, response);
    };
    const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
    server.listen(options.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const fake = new FakeApiServer(server, `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`);
    return fake;
  }

  get config(): ClusterConfig {
    return {
      server: this.url,
      insecureSkipTlsVerify: false,
      namespace: 'default',
      credentials: staticCredentials({ token: 'secret' }),
      source: 'the test',
    };
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #answer(handler: Handler, message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url ?? '/', this.url);
    let body = '';
    try {
      for await (const chunk of message) body += String(chunk);
    } catch {
      return;
    }
    const { method = '', headers } = message;
    const request: SeenRequest = { method, path: url.pathname, query: url.searchParams, headers, body };
    this.requests.push(request);
    await handler(request, response, message.socket);
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  headers: object = {},
  message = `${reason} says the server`,
): void {
  sendJson(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }, headers);
}
