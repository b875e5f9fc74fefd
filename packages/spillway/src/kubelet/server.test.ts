import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { TestAuthority } from './testing/authority.ts';
import { runningPod } from './testing/fakes.ts';
import { TestKubelet } from './testing/kubelet.ts';

async function opened(socket: TLSSocket): Promise<TLSSocket> {
  await once(socket, 'secureConnect');
  return socket;
}

/** Also by a reset. */
const closing = (socket: TLSSocket): Promise<unknown> =>
  new Promise((resolve) => socket.resume().once('close', resolve));

describe('a client', () => {
  test('without certificate and token is refused everywhere, also where there is nothing', async () => {
    const kubelet = await TestKubelet.start();
    for (const path of ['/healthz', '/pods', '/runningpods/', '/containerLogs/a/b/c', '/exec/a/b/c', '/nothing']) {
      expect(await kubelet.request(path)).toMatchObject({ status: 401, body: 'Unauthorized\n' });
    }
    expect(kubelet.reviews.asked).toEqual([]);
  });

  test('with a certificate of the cluster is its user and groups', async () => {
    const kubelet = await TestKubelet.start();
    const client = await kubelet.client('kube-apiserver-kubelet-client', 'system:masters', 'more');
    kubelet.reviews.allowed.add('kube-apiserver-kubelet-client get healthz');
    expect(await kubelet.request('/healthz', { client })).toMatchObject({ status: 200, body: 'ok' });
    expect(kubelet.reviews.asked).toEqual(['kube-apiserver-kubelet-client get healthz']);
  });

  test('with a token and no certificate works as well', async () => {
    const kubelet = await TestKubelet.start();
    expect(await kubelet.admin('/healthz')).toMatchObject({ status: 200 });
    expect(await kubelet.request('/healthz', { token: 'invented' })).toMatchObject({ status: 401 });
  });

  test('with a certificate of another authority is refused', async () => {
    const kubelet = await TestKubelet.start();
    const stranger = await TestAuthority.create('cluster');
    const client = await stranger.issue({ name: [{ CN: ['admin'] }] });
    expect(await kubelet.request('/healthz', { client })).toMatchObject({ status: 401 });
  });

  test('with a serving certificate of the cluster is refused: it is none for clients', async () => {
    const kubelet = await TestKubelet.start();
    const client = await kubelet.authority.issue({ name: [{ CN: ['admin'] }], usage: 'server' });
    expect(await kubelet.request('/healthz', { client })).toMatchObject({ status: 401 });
  });

  test('with an expired certificate is refused', async () => {
    const kubelet = await TestKubelet.start();
    const client = await kubelet.authority.issue({ name: [{ CN: ['admin'] }], lifeMs: -1000 });
    expect(await kubelet.request('/healthz', { client })).toMatchObject({ status: 401 });
  });

  test('whose certificate expires while the connection stays is refused from then on', async () => {
    let now = Date.now();
    const kubelet = await TestKubelet.start({ now: () => now });
    const socket = kubelet.connect(await kubelet.client('admin'));
    const answers: string[] = [];
    socket.on('data', (chunk: Buffer) => answers.push(chunk.toString().slice(0, 12)));
    const request = 'GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n';
    socket.write(request);
    await once(socket, 'data');
    now += 2 * 3_600_000;
    socket.write(request);
    await once(socket, 'data');
    expect(answers).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401']);
    socket.destroy();
  });

  test('with a certificate is refused while the cluster’s authority is not known, with a token it is not', async () => {
    const kubelet = await TestKubelet.start();
    kubelet.server.setTls(kubelet.serving);
    const client = await kubelet.client('admin');
    expect(await kubelet.request('/healthz', { client })).toMatchObject({ status: 401 });
    expect(await kubelet.admin('/healthz', { client })).toMatchObject({ status: 200 });
  });

  test('that may not is told what it would need', async () => {
    const kubelet = await TestKubelet.start();
    kubelet.reviews.tokens.set('reader', { name: 'reader', groups: [] });
    kubelet.reviews.allowed.add('reader get proxy');
    expect(await kubelet.request('/pods', { token: 'reader' })).toMatchObject({ status: 200 });
    const body = 'Forbidden (user=reader, verb=create, resource=nodes, subresource(s)=[proxy])\n';
    for (const method of ['GET', 'POST']) {
      expect(await kubelet.request('/exec/default/web/main', { method, token: 'reader' })).toMatchObject({
        status: 403,
        body,
      });
    }
  });

  test('is refused while the API server does not answer reviews, and the log says why', async () => {
    const kubelet = await TestKubelet.start();
    kubelet.reviews.failure = new Error('connect ECONNREFUSED');
    const answer = await kubelet.admin('/pods');
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(answer.body).toContain('the API server does not answer token reviews');
    expect(answer.body).not.toContain('ECONNREFUSED');
    expect(kubelet.logger.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ err: kubelet.reviews.failure }) }),
    );
  });
});

describe('connections on which nobody has logged in', () => {
  const strangers = { perAddress: 5, inAll: 8, openMs: 60_000, bytes: 128 * 1024 };

  test('are closed after the answer that they have to log in', async () => {
    const kubelet = await TestKubelet.start();
    for (const path of ['/healthz', '/exec/default/web/main']) {
      const socket = kubelet.connect();
      const closed = once(socket, 'end');
      const upgrade = path === '/healthz' ? '' : 'Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n';
      socket.write(`GET ${path} HTTP/1.1\r\nHost: node\r\n${upgrade}\r\n`);
      expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 401[^]*Connection: close/i);
      await closed;
    }
  });

  test('make room for others, and those of people who have logged in stay', async () => {
    const kubelet = await TestKubelet.start({ limits: { strangers } });
    const known = await opened(kubelet.connect());
    const ask = async (): Promise<string> => {
      known.write('GET /healthz HTTP/1.1\r\nHost: node\r\nAuthorization: Bearer admin-token\r\n\r\n');
      return String((await once(known, 'data'))[0]).slice(0, 12);
    };
    expect(await ask()).toBe('HTTP/1.1 200');
    const held = await Promise.all(Array.from({ length: 5 }, () => opened(kubelet.connect())));
    const firstIsClosed = closing(held[0]!);
    expect(await kubelet.admin('/healthz')).toMatchObject({ status: 200 });
    await firstIsClosed;
    expect(held.slice(1).map(({ readyState }) => readyState)).toEqual(Array.from({ length: 4 }, () => 'open'));
    expect(await ask()).toBe('HTTP/1.1 200');
    for (const socket of [...held, known]) socket.destroy();
  });

  test('may send no more than a request has to be, whoever has a certificate of the cluster may', async () => {
    const kubelet = await TestKubelet.start();
    const client = await kubelet.client('admin');
    const long = `GET /healthz?${'x'.repeat(200_000)} HTTP/1.1\r\nHost: node\r\n\r\n`;
    const stranger = await opened(kubelet.connect());
    stranger.write(long);
    await closing(stranger);
    const known = await opened(kubelet.connect(client));
    known.write(long);
    expect(String((await once(known, 'data'))[0])).toMatch(/^HTTP\/1.1 200/);
    known.destroy();
  });

  test('are closed in the end, also when they send a little all the time', async () => {
    const kubelet = await TestKubelet.start({ limits: { strangers: { ...strangers, openMs: 300 } } });
    const socket = await opened(kubelet.connect());
    const trickle = setInterval(() => socket.write('X'), 20);
    await closing(socket);
    clearInterval(trickle);
  });
});

describe('paths', () => {
  test('answer as the kubelet’s', async () => {
    const kubelet = await TestKubelet.start({
      metricsPage: { contentType: 'text/plain', render: () => Promise.resolve('up 1\n') },
    });
    kubelet.pods.known.push(runningPod());
    const list = { kind: 'PodList', items: [{ metadata: { name: 'web' } }] };
    for (const path of ['/pods', '/pods/', '/runningpods', '/runningpods/']) {
      const { status, headers, body } = await kubelet.admin(path);
      expect([status, headers['content-type'], JSON.parse(body)]).toMatchObject([200, 'application/json', list]);
    }
    expect(await kubelet.admin('/metrics')).toMatchObject({ status: 200, body: 'up 1\n' });
  });

  test('say what is known of a pod', async () => {
    const kubelet = await TestKubelet.start();
    expect(await kubelet.admin('/explain/default/web')).toMatchObject({ status: 404 });
    const explanation = {
      uid: 'uid-1',
      phase: 'syncing',
      instance: 'running',
      refusals: [],
      failures: [],
      timeline: [],
    } as const;
    kubelet.pods.explanation = explanation;
    const { status, body } = await kubelet.admin('/explain/default/web');
    expect([status, JSON.parse(body)]).toEqual([200, explanation]);
  });

  test.each([
    ['GET', '/nothing', 404, '404 page not found: /nothing\n'],
    ['DELETE', '/pods', 403, /verb=delete/],
    ['POST', '/pods', 405, 'use GET or HEAD for /pods\n'],
    ['GET', '/attach/default/web/main', 400, 'Upgrade request required\n'],
    ['GET', '/portForward/default/web', 400, 'Upgrade request required\n'],
    ['GET', '/metrics', 501, 'the virtual node does not offer metrics of its own\n'],
    ['POST', '/exec/default/web/main', 400, 'Upgrade request required\n'],
  ])('%s %s is answered with %i', async (method, path, status, body) => {
    const kubelet = await TestKubelet.start();
    const answer = await kubelet.admin(path, { method });
    expect(answer).toMatchObject({ status, body: body instanceof RegExp ? expect.stringMatching(body) : body });
  });
});

describe('the server', () => {
  test('refuses TLS 1.1 and fails handshakes while it has no certificate', async () => {
    const kubelet = await TestKubelet.start();
    const old = connect({
      host: '127.0.0.1',
      port: kubelet.port,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      rejectUnauthorized: false,
    });
    await expect(once(old, 'secureConnect')).rejects.toThrow();
    kubelet.server.setTls({});
    await expect(once(kubelet.connect(), 'secureConnect')).rejects.toThrow();
  });

  test('takes a new certificate and a new authority into use while it runs', async () => {
    const kubelet = await TestKubelet.start();
    const next = await TestAuthority.create('next');
    const serving = await next.issue({ name: [{ CN: ['renewed'] }], usage: 'server', address: '127.0.0.1' });
    kubelet.server.setTls({ ...serving, clientCa: next.cert });
    const socket = connect({ host: '127.0.0.1', port: kubelet.port, ca: next.cert });
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate().subject.CN).toBe('renewed');
    socket.destroy();
    const outdated = await kubelet.client('admin');
    const refused = connect({ host: '127.0.0.1', port: kubelet.port, ca: next.cert, ...outdated });
    refused.write('GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n');
    expect(String((await once(refused, 'data'))[0])).toContain('HTTP/1.1 401');
    refused.destroy();
  });

  test('resumes no TLS sessions', async () => {
    const kubelet = await TestKubelet.start();
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const options = { host: '127.0.0.1', port: kubelet.port, ca: kubelet.authority.cert, maxVersion };
      const first = connect({ ...options });
      let session: Buffer | undefined;
      first.on('session', (issued: Buffer) => (session = issued));
      first.write('GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n');
      await once(first, 'data');
      session ??= first.getSession();
      first.destroy();
      const second = connect({ ...options, ...(session && { session }) });
      await once(second, 'secureConnect');
      expect(second.isSessionReused()).toBe(false);
      second.destroy();
    }
  });

  test('accepts commands of a hundred kilobytes', async () => {
    const kubelet = await TestKubelet.start();
    const path = `/exec/default/web/main?command=${'x'.repeat(100_000)}`;
    expect(await kubelet.admin(path, { method: 'POST' })).toMatchObject({ status: 400 });
  });

  test('refuses requests that are longer than its limit', async () => {
    const kubelet = await TestKubelet.start({ limits: { maxHeaderBytes: 10_000 } });
    expect(await kubelet.admin(`/pods?${'x'.repeat(11_000)}`)).toMatchObject({ status: 431 });
  });

  test('keeps serving when clients break off at any point', async () => {
    const kubelet = await TestKubelet.start();
    kubelet.pods.known.push(...Array.from({ length: 3000 }, (_, i) => runningPod(`pod-${i}`)));
    for (let turn = 0; turn < 20; turn++) {
      const socket = kubelet.connect();
      socket.write('GET /pods HTTP/1.1\r\nHost: node\r\nAuthorization: Bearer admin-token\r\n\r\n');
      for (let i = 0; i < turn * 3; i++) await new Promise(setImmediate);
      socket.destroy();
    }
    expect(await kubelet.admin('/healthz')).toMatchObject({ status: 200 });
    expect(kubelet.logger.lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });

  test('counts what it serves', async () => {
    const served: unknown[] = [];
    const streams: number[] = [];
    const kubelet = await TestKubelet.start({
      metrics: { requestServed: (record) => served.push(record), streamsOpen: (count) => streams.push(count) },
    });
    kubelet.pods.known.push(runningPod());
    await kubelet.admin('/healthz');
    await kubelet.request('/healthz');
    await kubelet.admin('/containerLogs/default/web/main');
    expect(served).toMatchObject([
      { route: 'healthz', status: 200 },
      { route: 'other', status: 401 },
      { route: 'logs', status: 200 },
    ]);
    expect(streams).toEqual([1, 0]);
  });

  test('closes idle connections at once, and can be closed twice and before it listened', async () => {
    const kubelet = await TestKubelet.start();
    const socket = kubelet.connect();
    socket.write('GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n');
    await once(socket, 'data');
    await Promise.all([kubelet.server.close(), kubelet.server.close(), once(socket, 'close')]);
    await expect(kubelet.admin('/healthz')).rejects.toThrow('ECONNREFUSED');
  });
});
