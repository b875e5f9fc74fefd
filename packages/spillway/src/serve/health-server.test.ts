import { once } from 'node:events';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { text } from 'node:stream/consumers';
import { silentLogger } from '@spillway/kube';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HealthServer } from './health-server.ts';
import { type PoolState, startingOrServing, stopping } from '../pool/pool-state.ts';
import { Standings } from '../pool/standings.ts';

const standby = (): PoolState => ({ kind: 'standby' });

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Health {
  /** Status and body. */
  readonly get: (path: string, method?: string) => Promise<readonly [status: number | undefined, body: string]>;
  readonly connect: () => TLSSocket;
  readonly stop: () => Promise<void>;
}

async function serveHealth(standings: Standings): Promise<Health> {
  const port = await freePort();
  const ending = new AbortController();
  const running = new HealthServer({ standings, logger: silentLogger }).run(port, ending.signal);
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
  };
  onTestFinished(stop);
  const get: Health['get'] = async (path, method = 'GET') => {
    // As a kubelet's probe: over TLS, without looking at the certificate.
    const asking = request({ host: '127.0.0.1', port, path, method, rejectUnauthorized: false, agent: false }).end();
    const [answer] = await once(asking, 'response');
    return [answer.statusCode, await text(answer)];
  };
  await expect.poll(async () => (await get('/healthz'))[0]).toBeDefined();
  return { get, stop, connect: () => connect({ host: '127.0.0.1', port, rejectUnauthorized: false }) };
}

const closed = (socket: TLSSocket): Promise<unknown> =>
  new Promise((resolve) =>
    socket
      .on('error', () => {})
      .resume()
      .once('close', resolve),
  );

describe('the health checks', () => {
  it('say what the process is for each pool, and ask for a restart when a pool does not stop', async () => {
    let now = 0;
    const standings = new Standings(['first', 'second'], () => now);
    const { get, stop } = await serveHealth(standings);
    standings.set('first', () => ({ kind: 'serving' }));
    standings.set('second', standby);
    expect(await get('/healthz?verbose')).toEqual([200, 'ok\nfirst active\nsecond standby\n']);
    standings.set('first', () => stopping(0));
    now = 60_000;
    expect((await get('/healthz'))[0]).toBe(200);
    now += 1;
    expect(await get('/healthz')).toEqual([503, 'stuck\nfirst stopping\nsecond standby\n']);
    standings.set('first', standby);
    expect((await get('/healthz'))[0]).toBe(200);
    await stop();
    await expect(get('/healthz')).rejects.toThrow();
  });

  it('say ready when each pool is served here or could be at once', async () => {
    let synced = false;
    const standings = new Standings(['first', 'second']);
    const { get } = await serveHealth(standings);
    expect(await get('/readyz')).toEqual([503, 'not ready\nfirst starting\nsecond starting\n']);
    standings.set('first', () => startingOrServing({ pods: synced, node: true, 'kubelet API': true }));
    standings.set('second', standby);
    expect(await get('/readyz')).toEqual([503, 'not ready\nfirst active, not ready\nsecond standby\n']);
    expect((await get('/healthz'))[0]).toBe(200);
    synced = true;
    expect(await get('/readyz')).toEqual([200, 'ok\nfirst active\nsecond standby\n']);
    standings.set('first', () => stopping(0));
    expect((await get('/readyz'))[0]).toBe(503);
  });

  it('say ready only when the servers of every replica can be called, so that no Service leads here before', async () => {
    const standings = new Standings(['first']);
    const { get } = await serveHealth(standings);
    standings.set('first', standby);
    const up = standings.awaitServer('webhooks');
    expect(await get('/readyz')).toEqual([503, 'not ready\nfirst standby\nwebhooks starting\n']);
    expect((await get('/healthz'))[0]).toBe(200);
    up();
    expect(await get('/readyz')).toEqual([200, 'ok\nfirst standby\nwebhooks active\n']);
  });

  it('are answered whatever others hold open, and nobody may send much', async () => {
    const { get, connect: open } = await serveHealth(new Standings([]));
    const held = Array.from({ length: 100 }, open);
    const closing = held.map(closed);
    await Promise.all(closing.slice(0, 80));
    expect((await get('/healthz'))[0]).toBe(200);
    for (const socket of held) socket.destroy();
    await Promise.all(closing);
    const endless = open();
    endless.write(`GET /healthz HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`);
    expect(String((await once(endless, 'data'))[0])).toMatch(/^HTTP\/1.1 431/);
    endless.destroy();
  });

  it('are all that there is', async () => {
    const { get } = await serveHealth(new Standings([]));
    expect((await get('/metrics'))[0]).toBe(404);
    expect((await get('/toString'))[0]).toBe(404);
    expect((await get('/healthz', 'POST'))[0]).toBe(404);
  });
});
