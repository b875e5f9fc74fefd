import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FakeApiServer, type Handler, sendJson, sendStatus } from '../../test/fake-api-server.ts';
import type { CredentialGeneration } from '../config/credentials.ts';
import { ApiError, TransportError } from '../errors.ts';
import { KubeClient, type KubeClientOptions } from './client.ts';
import type { RequestRecord } from './request.ts';

async function setUp(
  handler: Handler,
  options: Partial<KubeClientOptions> = {},
): Promise<{ server: FakeApiServer; client: KubeClient }> {
  const server = await FakeApiServer.start(handler);
  const client = new KubeClient({ config: server.config, ...options });
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  return { server, client };
}

const get = { method: 'GET', path: '/api/v1/nodes' } as const;

describe('a request', () => {
  test('carries credentials, impersonation and a user agent, and shares connections with others', async () => {
    const { server, client } = await setUp((_, response) => sendJson(response, 200, { ok: true }));
    const asNode = client.impersonate({
      user: 'system:node:a',
      groups: ['system:nodes', 'x'],
      extra: { 'example.com/Scope': ['all'] },
    });
    onTestFinished(() => asNode.close());
    for (let i = 0; i < 20; i++) await client.request(get);
    expect(server.connections).toBeLessThanOrEqual(2);
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer secret',
      accept: 'application/json',
      'user-agent': 'spillway-kube',
    });
    await asNode.request(get);
    expect(server.requests[20]?.headers).toMatchObject({
      'impersonate-user': 'system:node:a',
      'impersonate-group': 'system:nodes, x',
      'impersonate-extra-example.com%2fscope': 'all',
    });
  });

  test('does not leave when its sender may not send any more, whatever it acts as, and is not tried again', async () => {
    let asked = 0;
    const beforeSend = (): void => {
      asked += 1;
      throw new Error('not the leader');
    };
    const { server, client } = await setUp((_, response) => sendJson(response, 200, {}), { beforeSend });
    const asNode = client.impersonate({ user: 'system:node:a' });
    onTestFinished(() => asNode.close());
    const refusal = { kind: 'aborted', unsent: true, message: 'GET /api/v1/nodes was not sent: not the leader' };
    await expect(client.request(get)).rejects.toMatchObject(refusal);
    await expect(client.stream(get)).rejects.toMatchObject(refusal);
    await expect(asNode.request(get)).rejects.toMatchObject(refusal);
    expect(asked).toBe(3);
    expect(server.requests).toEqual([]);
  });

  test('does not leave a second time when its sender may not send any more', async () => {
    let asked = 0;
    const beforeSend = (): void => {
      asked += 1;
      if (asked > 1) throw new Error('not the leader');
    };
    const { server, client } = await setUp((_, response) => sendJson(response, 503, {}), { beforeSend });
    await expect(client.request(get)).rejects.toMatchObject({ kind: 'aborted', unsent: true });
    expect(server.requests).toHaveLength(1);
  });

  test('that deletes with preconditions leaves its connection to the next', async () => {
    const { server, client } = await setUp((_, response) => sendJson(response, 200, {}));
    const path = '/api/v1/namespaces/a/pods/b';
    for (let i = 0; i < 20; i++) {
      await client.request({ method: 'DELETE', path, body: { preconditions: { uid: String(i) } } });
    }
    expect(server.requests).toHaveLength(20);
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  test('keeps a path in the address of the server, leaves undefined parameters out and repeats lists', async () => {
    const { server } = await setUp((_, response) => sendJson(response, 200, {}));
    const config = { ...server.config, server: `${server.url}/k8s/clusters/c-1` };
    const client = new KubeClient({ config });
    onTestFinished(() => client.close());
    await client.request({ ...get, query: { command: ['a', 'b'], limit: 3, watch: undefined } });
    expect(server.requests[0]?.path).toBe('/k8s/clusters/c-1/api/v1/nodes');
    expect(server.requests[0]?.query.toString()).toBe('command=a&command=b&limit=3');
  });

  test('is answered with the error that the Status of the server says', async () => {
    const { client } = await setUp((_, response) => sendStatus(response, 409, 'AlreadyExists'));
    const error = await client.request({ ...get, method: 'POST', body: {} }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      kind: 'alreadyExists',
      status: 409,
      reason: 'AlreadyExists',
      message: 'POST /api/v1/nodes: AlreadyExists says the server',
    });
  });

  test('is answered with an error also by a proxy that knows no Status', async () => {
    const { client } = await setUp((_, response) => response.writeHead(502).end('<h1>Bad Gateway</h1>\nmore'));
    await expect(client.request({ ...get, method: 'POST', body: {} })).rejects.toMatchObject({
      kind: 'serverError',
      message: 'POST /api/v1/nodes: status 502: <h1>Bad Gateway</h1>',
    });
  });

  test('fails with a clear line when something else answers', async () => {
    const { client } = await setUp((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('hello'),
    );
    await expect(client.request(get)).rejects.toThrow(
      /the answer is not JSON. Is http:.* \(from the test\) an API server\?/,
    );
  });

  test('gets text when it asks for it', async () => {
    const { client } = await setUp((_, response) =>
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok'),
    );
    expect(await client.request({ ...get, path: '/readyz', accept: 'text/plain' })).toBe('ok');
  });
});

describe('retries', () => {
  test('a write that flow control refused is sent again after Retry-After, and seen by metrics', async () => {
    const records: RequestRecord[] = [];
    const pauses: number[] = [];
    const { server, client } = await setUp(
      (_, response) => {
        if (server.requests.length === 1) sendStatus(response, 429, 'TooManyRequests', { 'retry-after': '2' });
        else sendJson(response, 201, { made: true });
      },
      {
        onRequest: (record) => records.push(record),
        clock: { now: () => Date.now(), sleep: async (ms) => void pauses.push(ms) },
        random: () => 0,
      },
    );
    const answer = await client.request({ ...get, method: 'POST', body: { a: 1 }, resource: 'nodes', lane: 'node' });
    expect(answer).toEqual({ made: true });
    expect(server.requests.map(({ body }) => body)).toEqual(['{"a":1}', '{"a":1}']);
    expect(pauses).toEqual([2_000]);
    expect(records).toMatchObject([
      { method: 'POST', resource: 'nodes', lane: 'node', status: 429, attempt: 1 },
      { method: 'POST', resource: 'nodes', lane: 'node', status: 201, attempt: 2 },
    ]);
  });

  test('a 429 that asks for more time than the caller has is given to the caller at once', async () => {
    const { server, client } = await setUp((_, response) =>
      sendStatus(response, 429, 'TooManyRequests', { 'retry-after': '60' }),
    );
    await expect(client.request(get)).rejects.toMatchObject({ kind: 'tooManyRequests', retryAfterMs: 60_000 });
    expect(server.requests).toHaveLength(1);
  });

  test('503 is tried again for a DELETE, not for a POST, and not when the caller has a back-off of its own', async () => {
    const { server, client } = await setUp(({ method }, response) =>
      server.requests.filter((request) => request.method === method).length === 1
        ? sendStatus(response, 503, 'ServiceUnavailable')
        : sendJson(response, 200, {}),
    );
    await client.request({ ...get, method: 'DELETE' });
    expect(server.requests).toHaveLength(2);
    await expect(client.request({ ...get, method: 'POST', body: {} })).rejects.toMatchObject({ status: 503 });
    await expect(client.request({ ...get, method: 'PUT', body: {}, retry: false })).rejects.toMatchObject({
      status: 503,
    });
  });

  test('a read survives a connection that is cut; a write does not happen twice', async () => {
    const { server, client } = await setUp((_, response, socket) => {
      if (server.requests.length % 2 === 1) socket.destroy();
      else sendJson(response, 200, {});
    });
    await client.request(get);
    expect(server.requests).toHaveLength(2);
    await expect(client.request({ ...get, method: 'POST', body: {} })).rejects.toMatchObject({
      kind: 'unreachable',
      unsent: false,
    });
    expect(server.requests).toHaveLength(3);
  });

  test('a server that comes up late is reached', async () => {
    const gone = await FakeApiServer.start(() => undefined);
    const { config, url } = gone;
    await gone.close();
    const client = new KubeClient({ config, clock: { now: () => Date.now(), sleep: startServer } });
    let server: FakeApiServer | undefined;
    async function startServer(): Promise<void> {
      server ??= await FakeApiServer.start((_, response) => sendJson(response, 200, { up: true }), {
        port: Number(new URL(url).port),
      });
    }
    onTestFinished(async () => {
      await client.close();
      await server?.close();
    });
    expect(await client.request({ ...get, method: 'POST', body: {} })).toEqual({ up: true });
  });
});

test('what people can do about an answer stands behind it, where the owner of the client knows', async () => {
  const { client } = await setUp((_, response) => sendStatus(response, 403, 'Forbidden'), {
    remedyOf: ({ status }) => (status === 403 ? 'Ask for it' : undefined),
  });
  await expect(client.request(get)).rejects.toThrow(/\. Ask for it$/);
  await expect(client.impersonate({ user: 'a' }).request(get)).rejects.toThrow(/Ask for it$/);
});

describe('time and cancelling', () => {
  test('an answer whose body never ends fails when the time is up', async () => {
    const { client } = await setUp((_, response) => void response.writeHead(200).write('{"items":['));
    await expect(client.request({ ...get, timeoutMs: 100 })).rejects.toMatchObject({
      kind: 'timeout',
      message: expect.stringMatching(/^GET \/api\/v1\/nodes: no answer from the API server at http:.* within 0.1 s$/),
    });
  });

  test('a client may have a time of its own for requests that name none', async () => {
    const { client } = await setUp(() => undefined, { timeoutMs: 100 });
    await expect(client.request(get)).rejects.toMatchObject({ kind: 'timeout' });
  });

  test('a caller gets rid of a request at any time', async () => {
    const { client } = await setUp(() => undefined);
    const controller = new AbortController();
    const asked = client.request({ ...get, signal: controller.signal });
    controller.abort(new Error('no longer needed'));
    await expect(asked).rejects.toMatchObject({ kind: 'aborted', cause: { message: 'no longer needed' } });
    await expect(client.request({ ...get, signal: controller.signal })).rejects.toMatchObject({ kind: 'aborted' });
  });

  test('closing the client ends requests, streams and connections', async () => {
    const { server, client } = await setUp(({ path }, response) => {
      if (path === '/stream') response.writeHead(200).write('first');
    });
    const hanging = client.request(get);
    const stream = await client.stream({ ...get, path: '/stream' });
    await once(stream.body, 'data');
    const ended = once(stream.body, 'close');
    const refused = expect(hanging).rejects.toMatchObject({ kind: 'aborted' });
    await client.close();
    await Promise.all([ended, refused]);
    await expect(client.request(get)).rejects.toMatchObject({ kind: 'aborted' });
    await expect.poll(() => server.openConnections).toBe(0);
  });

  test('a lane of one connection is free again after answers, refusals and lost connections', async () => {
    const { server, client } = await setUp(
      (_, response, socket) => {
        if (server.requests.length === 1) socket.destroy();
        else if (server.requests.length === 2) sendStatus(response, 404, 'NotFound');
        else sendJson(response, 200, { ok: true });
      },
      { lanes: { default: { qps: 1000, burst: 1000, concurrency: 1 } } },
    );
    await expect(client.request({ ...get, retry: false })).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(client.request(get)).rejects.toMatchObject({ kind: 'notFound' });
    await (await client.stream(get)).close();
    expect(await client.request(get)).toEqual({ ok: true });
  });

  test('leases do not wait behind a lane that is full', async () => {
    const { client } = await setUp(
      ({ path }, response) => {
        if (path === '/lease') sendJson(response, 200, {});
      },
      { lanes: { default: { qps: 1000, burst: 1000, concurrency: 2 } } },
    );
    const stuck = Array.from({ length: 20 }, () => client.request({ ...get, timeoutMs: 2_000 }));
    const failures = Promise.allSettled(stuck);
    await client.request({ ...get, path: '/lease', lane: 'lease' });
    await client.close();
    expect((await failures).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'rejected'));
  });
});

describe('streams', () => {
  test('come as the server sends them, on a connection of their own', async () => {
    const { server, client } = await setUp((_, response) => {
      response.writeHead(200);
      response.write('one ');
      setImmediate(() => response.end('two'));
    });
    const stream = await client.stream(get);
    let text = '';
    for await (const chunk of stream.body) text += String(chunk);
    expect(text).toBe('one two');
    await expect.poll(() => server.openConnections).toBe(0);
  });

  test('outlive the time for their headers and end with an error when the connection breaks', async () => {
    const connection = Promise.withResolvers<Socket>();
    const { client } = await setUp((_, response, socket) => {
      response.writeHead(200).write('begin');
      connection.resolve(socket);
    });
    const stream = await client.stream({ ...get, timeoutMs: 3000 });
    await once(stream.body, 'data');
    await new Promise((resolve) => setTimeout(resolve, 3100));
    expect(stream.body.destroyed).toBe(false);
    const failed = once(stream.body, 'error');
    (await connection.promise).destroy();
    const [error]: unknown[] = await failed;
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({ kind: 'unreachable' });
  });

  test('end with "aborted" when their caller gives them up', async () => {
    const { server, client } = await setUp((_, response) => void response.writeHead(200).write('begin'));
    const controller = new AbortController();
    const stream = await client.stream({ ...get, signal: controller.signal });
    const failed = once(stream.body, 'error');
    controller.abort();
    expect((await failed)[0]).toMatchObject({ kind: 'aborted' });
    await expect.poll(() => server.openConnections).toBe(0);
  });

  test('a reader that stops reading stops the server, not memory', async () => {
    let sent = 0;
    function* data(): Generator<Buffer> {
      for (; sent < 4_000; sent++) yield Buffer.alloc(256 * 1024);
    }
    const { client } = await setUp((_, response) => void Readable.from(data()).pipe(response.writeHead(200)));
    const stream = await client.stream(get);
    await once(stream.body, 'readable');
    // Until the buffers of both sockets are full and nothing moves any more.
    let before = -1;
    await expect
      .poll(
        () => {
          const still = sent === before;
          before = sent;
          return still;
        },
        { interval: 100 },
      )
      .toBe(true);
    expect(sent).toBeLessThan(400);
    await stream.close();
  });
});

/** Gives one generation until it is refused or `next` is called. */
function generations(first: CredentialGeneration, ...rest: CredentialGeneration[]) {
  let now = first;
  const next = (): void => {
    now = rest.shift() ?? now;
  };
  return { current: () => Promise.resolve(now), invalidate: next, next };
}

describe('credentials', () => {
  test('a rotated token is used at once when the old one is refused', async () => {
    const { server } = await setUp(({ headers }, response) =>
      headers.authorization === 'Bearer new' ? sendJson(response, 200, {}) : sendStatus(response, 401, 'Unauthorized'),
    );
    const credentials = generations(
      { generation: 1, credentials: { token: 'old' } },
      { generation: 2, credentials: { token: 'new' } },
    );
    const client = new KubeClient({ config: { ...server.config, credentials } });
    onTestFinished(() => client.close());
    await client.request({ ...get, method: 'POST', body: {}, retry: false });
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  test('a refused token that is not replaced is asked for twice at most', async () => {
    const { server } = await setUp((_, response) => sendStatus(response, 401, 'Unauthorized'));
    const credentials = generations({ generation: 1, credentials: { token: 'old' } });
    const client = new KubeClient({ config: { ...server.config, credentials } });
    onTestFinished(() => client.close());
    await expect(client.request(get)).rejects.toMatchObject({ kind: 'unauthorized' });
    expect(server.requests).toHaveLength(1);
  });

  test('new certificates get new connections; what is under way on the old ones finishes', async () => {
    const answers: (() => void)[] = [];
    const { server } = await setUp((_, response) => void answers.push(() => sendJson(response, 200, {})));
    const credentials = generations(
      { generation: 1, credentials: { clientCert: 'a', clientKey: 'a' } },
      { generation: 2, credentials: { clientCert: 'b', clientKey: 'b' } },
    );
    const client = new KubeClient({ config: { ...server.config, credentials } });
    onTestFinished(() => client.close());
    const first = client.request(get);
    await expect.poll(() => answers.length).toBe(1);
    credentials.next();
    const second = client.request(get);
    await expect.poll(() => answers.length).toBe(2);
    for (const answer of answers) answer();
    await Promise.all([first, second]);
    expect(server.connections).toBe(2);
    await expect.poll(() => server.openConnections).toBe(1);
  });
});
