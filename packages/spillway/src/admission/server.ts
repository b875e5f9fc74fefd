import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from '@spillway/kube';
import { Strangers } from '../https/strangers.ts';
import { type AdmissionRequest, type AdmissionResponse, parseReview, renderReview } from './admission-review.ts';
import type { KeyPair } from '../authorities/authority.ts';
import { BodyRoom } from './body-room.ts';
import { LargeBodies } from './large-bodies.ts';
import { Malformed } from './malformed.ts';

export type Endpoint = 'mutate' | 'advise';

export interface AdmissionServerOptions {
  /** Must answer at once: nothing is read over the network while a request waits. */
  readonly answers: Readonly<Record<Endpoint, (request: AdmissionRequest) => AdmissionResponse>>;
  readonly logger: Logger;
  readonly onRequest?: (record: ServedReview) => void;
  /** To receive a request and answer it. The API server waits for 2 s. Default: 1.5 s */
  readonly deadlineMs?: number;
  /** An object and its predecessor, of at most 1.5 MiB each, and what is around them. Default: 8 MiB */
  readonly maxBodyBytes?: number;
  /** Authorities, PEM: only who has a certificate of theirs is answered. Absent: anybody is. */
  readonly clientCa?: string;
}

/** What parses within a moment. Larger bodies are parsed elsewhere first. */
const smallBytes = 256 * 1024;
const maxSlimBytes = 512 * 1024;
const maxBytesAtOnce = 32 * 1024 * 1024;

export interface ServedReview {
  readonly endpoint: Endpoint | 'other';
  readonly result: 'allowed' | 'changed' | 'refused' | 'malformed' | 'failed';
  readonly durationMs: number;
}

/**
 * HTTPS for the API server's webhooks. Few API servers can be told to log in, so what anybody may cost is bounded; and nothing
 * is said that is secret.
 */
export class AdmissionServer {
  readonly #options: AdmissionServerOptions & Required<Pick<AdmissionServerOptions, 'deadlineMs'>>;
  readonly #server: Server;
  readonly #strangers: Strangers;
  readonly #room: BodyRoom;
  readonly #large = new LargeBodies(maxSlimBytes);
  #isLeaving = false;

  constructor(options: AdmissionServerOptions) {
    this.#options = { deadlineMs: 1500, ...options };
    const { deadlineMs, maxBodyBytes = 8 * 1024 * 1024, clientCa, logger } = this.#options;
    this.#room = new BodyRoom({ maxBytes: maxBodyBytes, maxBytesAtOnce });
    this.#server = createServer(
      {
        minVersion: 'TLSv1.2',
        requestCert: clientCa !== undefined,
        rejectUnauthorized: clientCa !== undefined,
        handshakeTimeout: 5000,
        headersTimeout: deadlineMs,
        requestTimeout: deadlineMs,
        connectionsCheckingInterval: 500,
        // Longer than the API server keeps idle connections.
        keepAliveTimeout: 120_000,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxHeadersCount = 100;
    // An API server has at most 600 requests under way, unless it was told otherwise, and HTTP/1.1 takes a connection for each.
    this.#strangers = new Strangers(this.#server, { perAddress: 640, inAll: 1280 });
    this.#server.on('tlsClientError', (error) =>
      logger.debug({ err: error }, 'TLS handshake of an admission client failed'),
    );
  }

  /** For new connections. */
  setTls({ cert, key }: KeyPair): void {
    const { clientCa } = this.#options;
    this.#server.setSecureContext({
      minVersion: 'TLSv1.2',
      cert,
      key,
      ...(clientCa === undefined ? {} : { ca: clientCa }),
    });
  }

  async listen(port: number): Promise<AddressInfo> {
    this.#large.start();
    this.#server.listen(port);
    await once(this.#server, 'listening');
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the admission server has no TCP port');
    return bound;
  }

  /** From now on each answer ends its connection, so that the next request goes to another replica. New connections are served as before. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Requests under way are answered first; they take no time. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    const hurry = setTimeout(() => this.#server.closeAllConnections(), this.#options.deadlineMs);
    this.#server.closeIdleConnections();
    await closed;
    clearTimeout(hurry);
    await this.#large.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { onRequest, logger } = this.#options;
    const startedAt = performance.now();
    this.#strangers.heard(request.socket);
    if (this.#isLeaving) response.shouldKeepAlive = false;
    const endpoint = endpointOf(request.url);
    let result: ServedReview['result'];
    try {
      result = await this.#answer(endpoint, request, response);
    } catch (error) {
      const malformed = error instanceof Malformed || error instanceof SyntaxError;
      result = malformed ? 'malformed' : 'failed';
      if (malformed) logger.debug({ err: error, endpoint }, 'malformed admission request');
      else logger.error({ err: error, endpoint }, 'an admission request could not be answered');
      if (!response.headersSent && !response.destroyed) {
        const status = error instanceof Malformed ? error.status : malformed ? 400 : 500;
        const message = malformed ? error.message : 'internal error, see the log of spillway';
        response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
        response.end(`${message}\n`);
      }
    }
    onRequest?.({ endpoint: endpoint ?? 'other', result, durationMs: performance.now() - startedAt });
  }

  async #answer(
    endpoint: Endpoint | undefined,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<ServedReview['result']> {
    if (endpoint === undefined) throw new Malformed(404, 'only POST /mutate and POST /advise exist');
    if (request.method !== 'POST') throw new Malformed(405, 'only POST is allowed');
    const late = AbortSignal.timeout(this.#options.deadlineMs);
    const review = parseReview(
      await this.#room.hold(request, late, (body) =>
        body.length > smallBytes ? this.#large.slim(body, late) : Promise.resolve(body.toString('utf8')),
      ),
    );
    const answer = this.#options.answers[endpoint](review);
    // Before anything is sent: it may fail, too.
    const body = renderReview(review, answer);
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
    if (!answer.allowed) return 'refused';
    return (answer.patch?.length ?? 0) > 0 ? 'changed' : 'allowed';
  }
}

function endpointOf(url = ''): Endpoint | undefined {
  const [path] = url.split('?');
  return path === '/mutate' ? 'mutate' : path === '/advise' ? 'advise' : undefined;
}
