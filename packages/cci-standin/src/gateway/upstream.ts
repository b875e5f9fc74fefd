import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';

/** The API server behind the gateway, and the certificate with which the gateway comes to it. */
export interface UpstreamOptions {
  readonly server: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface UpstreamRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body?: Uint8Array;
  readonly signal: AbortSignal;
}

export type UpgradeAnswer =
  | { readonly kind: 'upgraded'; readonly response: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }
  | { readonly kind: 'refused'; readonly response: IncomingMessage };

export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #secure: boolean;
  readonly #agent: HttpAgent;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#secure = options.server.startsWith('https:');
    this.#agent = this.#secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  }

  /** Resolves with the head of the answer; its body is still to come. */
  send(request: UpstreamRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = this.#open(request, { agent: this.#agent });
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
      outgoing.end(request.body);
    });
  }

  /** On a connection of its own. */
  upgrade(request: UpstreamRequest): Promise<UpgradeAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = this.#open(request, { agent: false });
      outgoing.on('upgrade', (response, socket, head) => resolve({ kind: 'upgraded', response, socket, head }));
      outgoing.on('response', (response) => resolve({ kind: 'refused', response }));
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(
    { method, target, headers, body, signal }: UpstreamRequest,
    extra: RequestOptions,
  ): ReturnType<typeof httpRequest> {
    const { server, ca, cert, key } = this.#options;
    const length = body === undefined ? {} : { 'Content-Length': String(body.length) };
    const options = { method, headers: { ...headers, ...length }, signal, ca, cert, key, ...extra };
    const url = `${server.replace(/\/$/, '')}${target}`;
    return this.#secure ? httpsRequest(url, options) : httpRequest(url, options);
  }
}
