import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
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
import { stringify } from 'yaml';
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
  #target: Target;

  private constructor(host: string, server: Server, target: Target, pass: Pass) {
    this.#server = server;
    this.#target = target;
    this.url = `http://${host}:${trusted<AddressInfo>(server.address()).port}`;
    server.on('request', (request, response) => {
      const answering = this.#target;
      handle(request, response, (body) => forward(answering, request, body), pass).catch(() => response.destroy());
    });
  }

  /**
   * @param config with whose rights everything is done
   * @param host where it listens; default: where only this machine's own network reaches it
   */
  static async open(config: ClusterConfig, pass: Pass, host = '127.0.0.1'): Promise<ApiGateway> {
    const server = createServer();
    server.listen(0, host);
    await once(server, 'listening');
    return new ApiGateway(host, server, await targetOf(config), pass);
  }

  /** The address answers for another cluster from now on. */
  async leadTo(config: ClusterConfig): Promise<void> {
    const before = this.#target;
    this.#target = await targetOf(config);
    this.disconnect();
    before.agent.destroy();
  }

  /** Whoever watches has to ask again. */
  disconnect(): void {
    this.#server.closeAllConnections();
  }

  close(): void {
    this.#server.close();
    this.disconnect();
  }

  /** When nothing is on its way any more. */
  [Symbol.dispose](): void {
    this.close();
    this.#target.agent.destroy();
  }
}

interface Target {
  readonly server: string;
  readonly agent: Agent;
}

async function targetOf({ server, ca, credentials }: ClusterConfig): Promise<Target> {
  const { clientCert, clientKey } = (await credentials.current()).credentials;
  return { server, agent: new Agent({ keepAlive: true, ca, cert: clientCert, key: clientKey }) };
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

async function forward({ server, agent }: Target, request: IncomingMessage, body: Buffer): Promise<Answer> {
  const { method = 'GET', url = '/', headers } = request;
  const target = new URL(url, server);
  const sending = sendRequest(target, { method, headers: { ...headers, host: target.host }, agent });
  sending.end(body);
  const [answer] = trusted<[IncomingMessage]>(await once(sending, 'response'));
  const isWatch = target.searchParams.has('watch') && answer.statusCode === 200;
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: isWatch ? answer : await buffer(answer) };
}

/** @returns `file`, with which a client goes through it */
export async function kubeconfigFor(gateway: ApiGateway, file: string): Promise<string> {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'it', cluster: { server: gateway.url } }],
    users: [{ name: 'me', user: {} }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'me' } }],
    'current-context': 'it',
  };
  await writeFile(file, stringify(kubeconfig));
  return file;
}
