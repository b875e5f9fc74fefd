// Strangers at one port, in a process of their own: `node crowd.ts HOST PORT PATH KIND...`. When its parent asks it ends, and
// tells what it has tried.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { trusted } from '../../backends/trusted.ts';

export type Kind = 'tokens' | 'slow connections' | 'large headers' | 'large bodies';
export type Tried = Partial<Record<Kind, number>>;

const tokensPerSecond = 10_000;
const tokensAtOnce = 100;
const slowConnections = 500;
const headerBytes = 1024 * 1024;
const bodyBytes = 6 * 1024 * 1024;

const [host = '', port = '', path = '', ...kinds] = process.argv.slice(2);
const target = { host, port: Number(port), rejectUnauthorized: false };
const over = new AbortController();

/** Whatever becomes of it. */
async function ask(options: RequestOptions, send: (asking: ClientRequest) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const asking = request({ ...target, path, agent: false, ...options }, (response) => {
    response.resume();
    response.once('close', resolve);
  });
  asking.once('error', () => resolve());
  asking.once('close', () => resolve());
  send(asking);
  await promise;
}

/** `atOnce` of them, one after the other, and not more than `perSecond` in all. */
async function keep(atOnce: number, perSecond: number, work: () => Promise<void>): Promise<void> {
  const pauseMs = (1000 * atOnce) / perSecond;
  const one = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const next = Date.now() + pauseMs;
      await work();
      await delay(Math.max(0, next - Date.now()));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

async function tryToken(): Promise<void> {
  const authorization = `Bearer ${randomBytes(24).toString('base64url')}`;
  await ask({ headers: { authorization } }, (asking) => asking.end());
}

/** A byte a second, and never a whole request. */
async function lingerOn(): Promise<void> {
  const socket = connect(target);
  socket.on('error', () => {});
  try {
    await once(socket, 'secureConnect');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nX-Slow: `);
    while (!over.signal.aborted && !socket.destroyed) {
      await delay(1000);
      socket.write('x');
    }
  } catch {
    await delay(200);
  } finally {
    socket.destroy();
  }
}

async function sendLargeHeader(): Promise<void> {
  await ask({ headers: { 'x-large': 'x'.repeat(headerBytes) } }, (asking) => asking.end());
}

const body = Buffer.alloc(bodyBytes, 'x');

async function sendLargeBody(): Promise<void> {
  await ask({ method: 'POST', headers: { 'content-type': 'application/json' } }, (asking) => asking.end(body));
}

const crowds: Record<Kind, [atOnce: number, perSecond: number, work: () => Promise<void>]> = {
  tokens: [tokensAtOnce, tokensPerSecond, tryToken],
  'slow connections': [slowConnections, slowConnections, lingerOn],
  'large headers': [20, 100, sendLargeHeader],
  'large bodies': [20, 100, sendLargeBody],
};
const tried: Tried = {};

async function come(kind: Kind): Promise<void> {
  const [atOnce, perSecond, work] = crowds[kind];
  await keep(atOnce, perSecond, async () => {
    tried[kind] = (tried[kind] ?? 0) + 1;
    await work();
  });
}

process.once('disconnect', () => process.exit());
const coming = Promise.all(kinds.map((kind) => come(trusted<Kind>(kind))));
await once(process, 'message');
over.abort();
await Promise.race([coming, delay(5000)]);
process.send?.(tried, () => process.exit());
