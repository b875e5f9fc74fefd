import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { FakeApiServer, type Handler, sendJson, sendStatus } from '../../test/fake-api-server.ts';
import type { OutgoingRequest } from '../config/cluster-config.ts';
import type { ApiError } from '../errors.ts';
import { KubeClient } from './client.ts';

async function setUp(
  handler: Handler,
): Promise<{ server: FakeApiServer; client: KubeClient; signed: OutgoingRequest[] }> {
  const server = await FakeApiServer.start(handler);
  const signed: OutgoingRequest[] = [];
  const client = new KubeClient({
    config: {
      ...server.config,
      sign: (request) => {
        signed.push(request);
        return { 'x-signature': `number ${signed.length}` };
      },
    },
    clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
  });
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  return { server, client, signed };
}

test('what is signed is what is sent: method, path with query, headers with the host, body', async () => {
  const { server, client, signed } = await setUp((_, response) => sendJson(response, 201, {}));
  const query = { command: ['b', 'a'], limit: 3 };
  await client.request({ method: 'POST', path: '/api/v1/pods', query, body: { a: 'ä' }, headers: { 'x-more': '1' } });
  expect(signed).toEqual([
    {
      method: 'POST',
      path: '/api/v1/pods?command=b&command=a&limit=3',
      headers: {
        accept: 'application/json',
        authorization: 'Bearer secret',
        'content-type': 'application/json',
        host: new URL(server.url).host,
        'user-agent': 'spillway-kube',
        'x-more': '1',
      },
      body: '{"a":"ä"}',
    },
  ]);
  expect(server.requests[0]?.query.toString()).toBe('command=b&command=a&limit=3');
  expect(server.requests[0]?.headers).toMatchObject({ ...signed[0]?.headers, 'x-signature': 'number 1' });
});

test('each attempt is signed anew, and so are streams', async () => {
  const { server, client } = await setUp((_, response) =>
    server.requests.length === 1 ? sendStatus(response, 503, 'ServiceUnavailable') : response.end('{}'),
  );
  await client.request({ method: 'GET', path: '/api' });
  const stream = await client.stream({ method: 'GET', path: '/api' });
  stream.body.resume();
  await once(stream.body, 'close');
  expect(server.requests.map(({ headers }) => headers['x-signature'])).toEqual(['number 1', 'number 2', 'number 3']);
});

test('who keeps the credentials learns of a refusal with the time of the server', async () => {
  const date = 'Thu, 01 Jan 2026 10:00:00 GMT';
  const { server } = await setUp((_, response) => sendStatus(response, 401, 'Unauthorized', { date }));
  const refusals: ApiError[] = [];
  const credentials = {
    current: () => Promise.resolve({ generation: 7, credentials: {} }),
    invalidate: (_: number, refusal: ApiError) => void refusals.push(refusal),
  };
  const client = new KubeClient({ config: { ...server.config, credentials } });
  onTestFinished(() => client.close());
  await expect(client.request({ method: 'GET', path: '/api' })).rejects.toMatchObject({ kind: 'unauthorized' });
  expect(refusals).toMatchObject([{ answer: { date: Date.parse(date) } }]);
});
