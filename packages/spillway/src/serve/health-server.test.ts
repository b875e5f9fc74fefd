import { once } from 'node:events';
import { createServer } from 'node:net';
import { silentLogger } from '@spillway/kube';
import { expect, it, onTestFinished } from 'vitest';
import { HealthServer } from './health-server.ts';
import { Standings } from './standings.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

it('the health check says what the process is for each pool, and asks for a restart when a pool does not stop', async () => {
  let now = 0;
  const standings = new Standings(() => now);
  standings.set('first', 'active');
  standings.set('second', 'standby');
  const port = await freePort();
  const stop = new AbortController();
  const running = new HealthServer({ standings, logger: silentLogger }).run(port, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  const get = (path: string, method = 'GET'): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`, { method });
  await expect.poll(async () => (await get('/healthz')).status).toBe(200);
  expect(await (await get('/healthz?verbose')).text()).toBe('ok\nfirst active\nsecond standby\n');
  expect((await get('/metrics')).status).toBe(404);
  expect((await get('/healthz', 'POST')).status).toBe(404);
  standings.set('first', 'stopping');
  now = 60_000;
  expect((await get('/healthz')).status).toBe(200);
  now += 1;
  const stuck = await get('/healthz');
  expect([stuck.status, await stuck.text()]).toEqual([503, 'stuck\nfirst stopping\nsecond standby\n']);
  standings.set('first', 'standby');
  expect((await get('/healthz')).status).toBe(200);
  stop.abort();
  await running;
  await expect(get('/healthz')).rejects.toThrow();
});
