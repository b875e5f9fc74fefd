import { fc, test } from '@fast-check/vitest';
import { describe, expect, onTestFinished } from 'vitest';
import { FakeApiServer, type Handler, sendStatus } from '../../test/fake-api-server.ts';
import type { Pod } from '../generated/index.ts';
import { pods } from '../generated/resources.ts';
import { nameOf } from '../meta.ts';
import { KubeClient } from '../transport/client.ts';
import type { WatchEvent } from './watch.ts';

const event = (type: string, name: string): string =>
  `${JSON.stringify({ type, object: { kind: 'Pod', metadata: { name, resourceVersion: '1' } } })}\n`;

async function setUp(handler: Handler): Promise<{ client: KubeClient; server: FakeApiServer }> {
  const server = await FakeApiServer.start(handler);
  const client = new KubeClient({ config: server.config });
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  return { client, server };
}

/** What came, and the error that it ended with. */
async function collect(client: KubeClient): Promise<{ events: string[]; error?: unknown }> {
  const events: string[] = [];
  try {
    for await (const { type, object } of client.resource(pods).watch({ allowBookmarks: true, retry: false })) {
      events.push(`${type} ${nameOf(object)}`);
    }
    return { events };
  } catch (error) {
    return { events, error };
  }
}

describe('a watch', () => {
  test('gives events and bookmarks, and ends when the server ends it', async () => {
    const { client, server } = await setUp((_, response) =>
      response.writeHead(200).end(event('ADDED', 'a') + event('BOOKMARK', '') + event('DELETED', 'a')),
    );
    expect(await collect(client)).toEqual({ events: ['ADDED a', 'BOOKMARK ', 'DELETED a'] });
    expect(server.requests[0]?.query.toString()).toBe('watch=true&allowWatchBookmarks=true');
  });

  test('has its objects read by who reads better, however the server puts it', async () => {
    const { client } = await setUp((_, response) =>
      response.writeHead(200).end(event('ADDED', 'a') + event('MODIFIED', 'a').replace('{', '{ ')),
    );
    const texts: string[] = [];
    const parse = (text: string): unknown => (texts.push(text), JSON.parse(text));
    const names = [];
    for await (const { type, object } of client.resource(pods).watch({ parse }))
      names.push(`${type} ${nameOf(object)}`);
    expect(names).toEqual(['ADDED a', 'MODIFIED a']);
    expect(texts).toEqual([JSON.stringify({ kind: 'Pod', metadata: { name: 'a', resourceVersion: '1' } })]);
  });

  test('cut off in the middle of an event is an error, and what was whole is delivered', async () => {
    const { client } = await setUp((_, response) =>
      response.writeHead(200).end(event('ADDED', 'a') + event('ADDED', 'b').slice(0, -9)),
    );
    expect(await collect(client)).toMatchObject({
      events: ['ADDED a'],
      error: { kind: 'protocol', message: expect.stringContaining('in the middle of an event') },
    });
  });

  test('dropped by the network is an error', async () => {
    const { client } = await setUp((_, response, socket) => {
      response.writeHead(200).write(event('ADDED', 'a'), () => socket.resetAndDestroy());
    });
    expect(await collect(client)).toMatchObject({ error: { name: 'TransportError', kind: 'unreachable' } });
  });

  test('from a version that the server has forgotten ends with "gone", said either way', async () => {
    const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
    const { client, server } = await setUp((_, response) => {
      if (server.requests.length === 1) sendStatus(response, 410, 'Expired');
      else response.writeHead(200).write(`${JSON.stringify({ type: 'ERROR', object: gone })}\n`);
    });
    expect(await collect(client)).toMatchObject({ events: [], error: { kind: 'gone' } });
    expect(await collect(client)).toMatchObject({ events: [], error: { kind: 'gone', reason: 'Expired' } });
    await expect.poll(() => server.openConnections).toBe(0);
  });

  test('that brings nonsense is an error', async () => {
    const { client, server } = await setUp((_, response) =>
      response.writeHead(200).end(server.requests.length === 1 ? 'hello\n' : event('SURPRISE', 'a')),
    );
    expect(await collect(client)).toMatchObject({
      error: { kind: 'protocol', message: expect.stringMatching(/is not JSON/) },
    });
    expect(await collect(client)).toMatchObject({
      error: { kind: 'protocol', message: expect.stringMatching(/unknown type/) },
    });
  });

  test('that its reader leaves early closes its connection', async () => {
    const { client, server } = await setUp((_, response) => void response.writeHead(200).write(event('ADDED', 'a')));
    for await (const first of client.resource(pods).watch()) {
      expect(first.type).toBe('ADDED');
      break;
    }
    await expect.poll(() => server.openConnections).toBe(0);
  });
});

test.prop(
  [fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 20 }), fc.array(fc.nat(), { maxLength: 10 })],
  {
    numRuns: 30,
  },
)('events arrive whole and in order, however their bytes are cut into packets', async (names, cuts) => {
  const bytes = Buffer.from(names.map((name) => event('ADDED', name)).join(''));
  const at = cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b);
  const server = await FakeApiServer.start(async (_, response) => {
    response.writeHead(200);
    for (const [index, start] of [0, ...at].entries()) {
      await new Promise((sent) => response.write(bytes.subarray(start, at[index] ?? bytes.length), sent));
    }
    response.end();
  });
  const client = new KubeClient({ config: server.config });
  const seen: WatchEvent<Pod>[] = [];
  for await (const received of client.resource(pods).watch()) seen.push(received);
  await client.close();
  await server.close();
  expect(seen.map(({ object }) => nameOf(object))).toEqual(names);
});
