import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from '@spillway/kube';
import { type AdmissionRequest, type AdmissionResponse, parseReview, renderReview } from './admission-review.ts';
import type { KeyPair } from './authority.ts';

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
}

export interface ServedReview {
  readonly endpoint: Endpoint | 'other';
  readonly result: 'allowed' | 'changed' | 'refused' | 'malformed' | 'failed';
  readonly durationMs: number;
}

class Malformed extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** HTTPS for the API server's webhooks. It can take no client certificates, and says nothing that is secret. */
export class AdmissionServer {
  readonly #options: Required<Omit<AdmissionServerOptions, 'onRequest'>> & Pick<AdmissionServerOptions, 'onRequest'>;
  readonly #server: Server;

  constructor(options: AdmissionServerOptions) {
    this.#options = { deadlineMs: 1500, maxBodyBytes: 8 * 1024 * 1024, ...options };
    const { deadlineMs, logger } = this.#options;
    this.#server = createServer(
      {
        minVersion: 'TLSv1.2',
        handshakeTimeout: 5000,
        headersTimeout: deadlineMs,
        requestTimeout: deadlineMs,
        connectionsCheckingInterval: 500,
        // Longer than the API server keeps idle connections.
        keepAliveTimeout: 120_000,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = 1024;
    this.#server.on('tlsClientError', (error) =>
      logger.debug({ err: error }, 'TLS handshake of an admission client failed'),
    );
  }

  /** For new connections. */
  setTls({ cert, key }: KeyPair): void {
    this.#server.setSecureContext({ minVersion: 'TLSv1.2', cert, key });
  }

  async listen(port: number): Promise<AddressInfo> {
    this.#server.listen(port);
    await once(this.#server, 'listening');
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the admission server has no TCP port');
    return bound;
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
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { onRequest, logger } = this.#options;
    const startedAt = performance.now();
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
    if (endpoint === undefined) throw new Malformed(404, 'there are POST /mutate and POST /advise');
    if (request.method !== 'POST') throw new Malformed(405, 'only POST is possible');
    const review = parseReview(await this.#body(request));
    const answer = this.#options.answers[endpoint](review);
    // Before anything is sent: it may fail, too.
    const body = renderReview(review, answer);
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
    if (!answer.allowed) return 'refused';
    return (answer.patch?.length ?? 0) > 0 ? 'changed' : 'allowed';
  }

  async #body(request: IncomingMessage): Promise<string> {
    const { deadlineMs, maxBodyBytes } = this.#options;
    const chunks: Buffer[] = [];
    let length = 0;
    const late = setTimeout(() => request.destroy(new Malformed(408, 'the request took too long')), deadlineMs);
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > maxBodyBytes) throw new Malformed(413, `the request is larger than ${maxBodyBytes} bytes`);
        chunks.push(chunk);
      }
    } finally {
      clearTimeout(late);
    }
    return Buffer.concat(chunks).toString('utf8');
  }
}

function endpointOf(url = ''): Endpoint | undefined {
  const [path] = url.split('?');
  return path === '/mutate' ? 'mutate' : path === '/advise' ? 'advise' : undefined;
}
