import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { onAbort } from '../abort.ts';
import { StreamError } from '../errors.ts';
import { setNoDelay } from '../tcp.ts';

export interface UpgradeRequest {
  readonly url: URL;
  readonly connect?: () => Duplex;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** The sub-protocol that is offered. */
  readonly protocol: string;
  /** For messages: what is opened. */
  readonly what: string;
}

export interface Upgraded {
  readonly protocol: string;
  readonly socket: Duplex;
  readonly head: Buffer;
}

const maxRefusalBytes = 4096;

/** @throws {StreamError} `refused` when the server answers anything but 101, `closed` */
export function requestUpgrade(
  { url, connect, headers, protocol, what }: UpgradeRequest,
  signal: AbortSignal,
): Promise<Upgraded> {
  const { promise, resolve, reject } = Promise.withResolvers<Upgraded>();
  const request = httpRequest({
    method: 'POST',
    host: url.hostname,
    path: `${url.pathname}${url.search}`,
    setHost: false,
    headers: {
      ...headers,
      Host: url.host,
      Connection: 'Upgrade',
      Upgrade: 'SPDY/3.1',
      'X-Stream-Protocol-Version': protocol,
    },
    createConnection: connect ?? (() => connectTo(url)),
  });
  const stop = (): void => void request.destroy(signal.reason);
  onAbort(signal, stop);
  request.once('upgrade', (response, socket, head) => {
    signal.removeEventListener('abort', stop);
    setNoDelay(socket);
    resolve({ protocol: response.headers['x-stream-protocol-version']?.toString() ?? protocol, socket, head });
  });
  request.once('response', (response) => {
    readRefusal(response, what).then(reject, reject);
  });
  request.once('error', (cause) => {
    const error = new StreamError('closed', `${url.host} did not answer: ${cause.message}`, { cause });
    reject(cause instanceof StreamError ? cause : error);
  });
  request.end();
  return promise;
}

async function readRefusal(response: IncomingMessage, what: string): Promise<StreamError> {
  const { statusCode: status = 0, headers } = response;
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    text += chunk;
    if (text.length > maxRefusalBytes) break;
  }
  response.destroy();
  const refusal = text.trim().slice(0, maxRefusalBytes);
  const message = `the server answered ${what} with status ${status}: ${sentenceOf(refusal)}`;
  return new StreamError('refused', message, { status, answer: { status, headers, text: refusal } });
}

/** A metav1.Status is for programs; its message is for people. */
function sentenceOf(refusal: string): string {
  try {
    const { message }: { message?: unknown } = JSON.parse(refusal);
    return typeof message === 'string' ? message : refusal;
  } catch {
    return refusal;
  }
}

function connectTo(url: URL): Duplex {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'https:') {
    return connectTls({ host, port: Number(url.port || 443), ...(isIP(host) ? {} : { servername: host }) });
  }
  return connectTcp({ host, port: Number(url.port || 80) });
}
