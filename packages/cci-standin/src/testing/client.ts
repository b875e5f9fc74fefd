import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AccessKey } from '../accounts.ts';
import { parseJson } from '../json.ts';
import { signatureOf } from '../signature.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** PEM */
  readonly ca?: string;
}

export function open(url: string, { method = 'GET', headers = {}, body, ca }: Sent): Promise<IncomingMessage> {
  const bytes = encode(body);
  const options = {
    method,
    agent: false,
    headers: { ...typed(body), ...headers },
    ...(ca === undefined ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = url.startsWith('https:')
      ? httpsRequest(url, options, resolve)
      : httpRequest(url, options, resolve);
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

export async function send(url: string, sent: Sent): Promise<Answer> {
  const response = await open(url, sent);
  const chunks: Buffer[] = [];
  for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body: parseJson(Buffer.concat(chunks)) };
}

/** The headers that sign a request. */
export function signed(
  key: AccessKey,
  url: string,
  { method = 'GET', headers = {}, body }: Sent,
  now: number = Date.now(),
): Record<string, string> {
  const { host, pathname, search } = new URL(url);
  const date = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  const all: Record<string, string> = { ...typed(body), ...lowerCase(headers), host, 'x-sdk-date': date };
  const names = Object.keys(all).toSorted();
  const signature = signatureOf(key.secretKey, names, {
    method,
    target: `${pathname}${search}`,
    headers: all,
    body: encode(body),
  });
  const authorization = `SDK-HMAC-SHA256 Access=${key.accessKey}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...all, authorization };
}

function encode(body: unknown): Buffer {
  return Buffer.from(body === undefined ? '' : JSON.stringify(body));
}

function typed(body: unknown): Record<string, string> {
  return body === undefined ? {} : { 'content-type': 'application/json' };
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
