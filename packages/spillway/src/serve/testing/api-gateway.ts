import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Agent, request as sendRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { ClusterConfig } from '@spillway/kube';
import { trusted } from '../../backends/trusted.ts';
import type { ApiRequest } from './awaits.ts';

/** Lets one request through, or not: then it rejects, and whoever asked hears nothing. */
export type Pass = (request: ApiRequest, perform: () => Promise<Answer>) => Promise<Answer>;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Whole, except that of a watch. */
  readonly body: Buffer | IncomingMessage;
}

/** The API server for one process: every request passes `pass`. */
export class ApiGateway {
  readonly url: string;
  readonly #server: Server;
  readonly #agent: Agent;

  private constructor(server: Server, agent: Agent) {
    this.#server = server;
    this.#agent = agent;
    this.url = `http://127.0.0.1:${trusted<AddressInfo>(server.address()).port}`;
  }

  /** @param config with whose rights everything is done */
  static async open(config: ClusterConfig, pass: Pass): Promise<ApiGateway> {
    const { clientCert, clientKey } = (await config.credentials.current()).credentials;
    const agent = new Agent({ keepAlive: true, ca: config.ca, cert: clientCert, key: clientKey });
    const server = createServer((request, response) => {
      handle(request, response, (body) => forward(config.server, agent, request, body), pass).catch(() =>
        response.destroy(),
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ApiGateway(server, agent);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** When nothing is on its way any more. */
  [Symbol.dispose](): void {
    this.close();
    this.#agent.destroy();
  }
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  send: (body: Buffer) => Promise<Answer>,
  pass: Pass,
): Promise<void> {
  const { method = 'GET', url: path = '/' } = request;
  const sent = await buffer(request);
  const { status, headers, body } = await pass({ method, path, body: sent.toString() }, () => send(sent));
  const { 'transfer-encoding': _, ...kept } = headers;
  response.writeHead(status, kept);
  if (Buffer.isBuffer(body)) {
    response.end(body);
    return;
  }
  response.flushHeaders();
  response.once('close', () => body.destroy());
  body.on('error', () => response.destroy());
  body.pipe(response);
}

async function forward(server: string, agent: Agent, request: IncomingMessage, body: Buffer): Promise<Answer> {
  const { method = 'GET', url = '/', headers } = request;
  const target = new URL(url, server);
  const sending = sendRequest(target, { method, headers: { ...headers, host: target.host }, agent });
  sending.end(body);
  const [answer] = trusted<[IncomingMessage]>(await once(sending, 'response'));
  const isWatch = target.searchParams.has('watch') && answer.statusCode === 200;
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: isWatch ? answer : await buffer(answer) };
}
