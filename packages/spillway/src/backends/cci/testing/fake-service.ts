import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { TestAuthority } from '../../../kubelet/testing/authority.ts';
import { parseJson, trusted } from '../../trusted.ts';

export interface SeenCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed; undefined when there was none */
  readonly body: unknown;
}

/** A service of the vendor that the test plays, with a certificate of an authority of its own. */
export class FakeService {
  readonly calls: SeenCall[] = [];
  readonly url: string;
  readonly ca: string;
  readonly #server: Server;

  private constructor(server: Server, ca: string) {
    this.#server = server;
    this.ca = ca;
    this.url = `https://127.0.0.1:${trusted<AddressInfo>(server.address()).port}`;
  }

  static async start(answer: (call: SeenCall, response: ServerResponse) => void): Promise<FakeService> {
    const authority = await TestAuthority.create('vendor');
    const { cert, key } = await authority.issue({ usage: 'server', address: '127.0.0.1' });
    const server = createServer({ cert, key }, (request, response) => {
      void (async () => {
        const { method = '', url: path = '', headers } = request;
        const body = await text(request);
        const call: SeenCall = { method, path, headers, body: body === '' ? undefined : parseJson<unknown>(body) };
        service.calls.push(call);
        answer(call, response);
      })();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const service = new FakeService(server, authority.cert);
    return service;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
