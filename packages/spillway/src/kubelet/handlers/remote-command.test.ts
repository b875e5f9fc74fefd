import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { dialRemoteCommand, type RemoteCommandClient } from '@spillway/streaming';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { BackendError, type ContainerStreams } from '../../backends/backend.ts';
import type { KeyPair } from '../certificate/key-pair.ts';
import { runningPod } from '../testing/fakes.ts';
import { TestKubelet } from '../testing/kubelet.ts';

async function start(options: Parameters<typeof TestKubelet.start>[0] = {}): Promise<TestKubelet> {
  const kubelet = await TestKubelet.start(options);
  kubelet.pods.known.push(runningPod());
  return kubelet;
}

interface Command {
  readonly path?: string;
  readonly query?: string;
  readonly token?: string;
  readonly client?: KeyPair;
  readonly signal?: AbortSignal;
}

const defaultPath = '/exec/default/web/main';
const threeStreams = 'command=sh&command=-c&command=true&input=1&output=1&error=1';

function dial(
  kubelet: TestKubelet,
  { path = defaultPath, query = threeStreams, token = 'admin-token', client, signal }: Command = {},
): Promise<RemoteCommandClient> {
  const params = new URLSearchParams(query);
  const asked = (name: string): boolean => params.get(name) === '1';
  return dialRemoteCommand({
    url: new URL(`${path}?${query}`, kubelet.url),
    streams: { stdin: asked('input'), stdout: asked('output'), stderr: asked('error'), tty: asked('tty') },
    connect: () => kubelet.connect(client),
    ...(signal === undefined ? {} : { signal }),
    headers: client === undefined ? { Authorization: `Bearer ${token}` } : {},
  });
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a stream is missing');
  return value;
}

/** Writes and waits until it was taken, as a pipe would. */
function write(io: ContainerStreams, name: 'stdout' | 'stderr', data: string): void {
  present(io[name]).write(data);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

describe('a command over SPDY', () => {
  test('runs in the container with its streams and its exit code', async () => {
    const kubelet = await start();
    kubelet.backend.onExec = async (_command, io) => {
      write(io, 'stdout', `got ${await text(present(io.stdin))}`);
      write(io, 'stderr', 'complaint');
      return { exitCode: 7 };
    };
    const client = await dial(kubelet);
    client.stdin?.end('input');
    const output = Promise.all([text(present(client.stdout)), text(present(client.stderr)), client.status]);
    expect(await output).toEqual(['got input', 'complaint', { exitCode: 7 }]);
    expect(kubelet.backend.called).toEqual([
      {
        ref: { uid: 'uid-of-web', namespace: 'default', name: 'web' },
        container: 'main',
        with: ['sh', '-c', 'true'],
      },
    ]);
  });

  test('can name the pod’s UID, which must be right', async () => {
    const kubelet = await start();
    const right = await dial(kubelet, { path: '/exec/default/web/uid-of-web/main' });
    expect(await right.status).toEqual({ exitCode: 0 });
    await expect(dial(kubelet, { path: '/exec/default/web/uid-of-another/main' })).rejects.toMatchObject({
      status: 404,
    });
  });

  test('with a terminal gets the sizes', async () => {
    const kubelet = await start();
    const sizes: unknown[] = [];
    kubelet.backend.onExec = async (_command, io) => {
      expect(io.stderr).toBeUndefined();
      for await (const size of present(io.resize)) if (sizes.push(size) === 2) break;
      return { exitCode: 0 };
    };
    const client = await dial(kubelet, { query: 'command=sh&input=1&output=1&tty=1' });
    client.resize({ width: 111, height: 33 });
    await until(() => sizes.length === 1);
    client.resize({ width: 80, height: 24 });
    expect(await client.status).toEqual({ exitCode: 0 });
    expect(sizes).toEqual([
      { width: 111, height: 33 },
      { width: 80, height: 24 },
    ]);
  });

  test('carries 50 MB through stdin and back unchanged', async () => {
    const kubelet = await start();
    kubelet.backend.onExec = async (_command, io) => {
      await pipeline(present(io.stdin), present(io.stdout));
      return { exitCode: 0 };
    };
    const client = await dial(kubelet, { query: 'command=cat&input=1&output=1' });
    const block = randomBytes(1_000_000);
    const blocks = Array.from({ length: 50 }, () => block);
    const sent = createHash('sha256');
    for (const each of blocks) sent.update(each);
    const received = createHash('sha256');
    await Promise.all([
      pipeline(Readable.from(blocks), present(client.stdin)),
      pipeline(present(client.stdout), received),
    ]);
    expect(await client.status).toEqual({ exitCode: 0 });
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });

  test('is cancelled when the client goes away', async () => {
    const kubelet = await start();
    let cancelled = false;
    kubelet.backend.onExec = async (_command, _io, signal) => {
      await once(signal, 'abort');
      cancelled = true;
      throw signal.reason;
    };
    const client = await dial(kubelet);
    await client.close();
    await until(() => cancelled);
    expect(kubelet.logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('tells the user why it failed', async () => {
    const kubelet = await start();
    kubelet.backend.onExec = () =>
      Promise.reject(new BackendError('invalid', 'exec: "nope": executable file not found'));
    const client = await dial(kubelet);
    expect(await client.status).toMatchObject({
      error: 'error executing command in container: exec: "nope": executable file not found',
    });
  });

  test('ends with a sentence when the server closes', async () => {
    const kubelet = await start();
    kubelet.backend.onExec = async (_command, _io, signal) => {
      await once(signal, 'abort');
      throw signal.reason;
    };
    const client = await dial(kubelet);
    const [status] = await Promise.all([client.status, kubelet.server.close()]);
    expect(status).toMatchObject({ error: 'spillway is stopping; run the command again' });
  });

  test('of a backend that does not end is broken off when the server has closed for long enough', async () => {
    const kubelet = await start({ limits: { closeTimeoutMs: 50 } });
    const never = Promise.withResolvers<{ exitCode: number }>();
    kubelet.backend.onExec = () => never.promise;
    const client = await dial(kubelet);
    const closing = kubelet.server.close();
    await expect(client.status).rejects.toMatchObject({ kind: 'closed' });
    never.resolve({ exitCode: 0 });
    await closing;
  });
});

/** What a client is told in place of the upgrade. */
const unavailable = (message: string): object => ({
  status: 503,
  answer: { text: expect.stringContaining(`"message":"${message}","reason":"ServiceUnavailable"`) as unknown },
});

describe('attach', () => {
  const path = '/attach/default/web/main';

  test('connects to what the container runs, until it ends', async () => {
    const kubelet = await start();
    kubelet.backend.onAttach = async (io) => {
      write(io, 'stdout', `got ${await text(present(io.stdin))}`);
      return { exitCode: 0 };
    };
    const client = await dial(kubelet, { path, query: 'input=1&output=1&error=1' });
    client.stdin?.end('input');
    expect(await Promise.all([text(present(client.stdout)), client.status])).toEqual(['got input', { exitCode: 0 }]);
    const ref = { uid: 'uid-of-web', namespace: 'default', name: 'web' };
    expect(kubelet.backend.called).toEqual([{ ref, container: 'main', with: 'attach' }]);
  });

  test('that cannot begin is refused with the reason, in place of streams', async () => {
    const kubelet = await start();
    kubelet.backend.onOpen = () => Promise.reject(new BackendError('unavailable', 'the region does not answer'));
    const [attach, exec] = await Promise.all([
      dial(kubelet, { path, query: 'output=1' }).catch((error: unknown) => error),
      dial(kubelet).catch((error: unknown) => error),
    ]);
    expect(attach).toMatchObject(unavailable('error attaching to container: the region does not answer'));
    expect(exec).toMatchObject(unavailable('error executing command in container: the region does not answer'));
  });

  test('that a client gives up before it begins ends quietly', async () => {
    const kubelet = await start();
    const asked = Promise.withResolvers<void>();
    const given = Promise.withResolvers<never>();
    kubelet.backend.onOpen = () => {
      asked.resolve();
      return given.promise;
    };
    const leaving = new AbortController();
    const dialled = dial(kubelet, { path, query: 'output=1', signal: leaving.signal });
    dialled.catch(() => undefined);
    await asked.promise;
    leaving.abort();
    await expect(dialled).rejects.toThrow('cancelled');
    await new Promise((resolve) => setTimeout(resolve, 50));
    given.reject(new BackendError('unavailable', 'too late'));
    await kubelet.server.close();
    expect(kubelet.logger.lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });

  test('says what the backend says when it fails', async () => {
    const kubelet = await start();
    kubelet.backend.onAttach = () => Promise.reject(new BackendError('conflict', 'container main does not run'));
    const client = await dial(kubelet, { path, query: 'output=1' });
    expect(await client.status).toMatchObject({ error: 'error attaching to container: container main does not run' });
  });
});

describe('a command that cannot be run', () => {
  test('is told in the words of who tried, and is no error of ours', async () => {
    const kubelet = await start();
    const error = 'error executing command in container: exec: "nope": executable file not found';
    // Each who hands it on would put this in front of it once more.
    const said = `Internal error occurred: Internal error occurred: ${error}`;
    kubelet.backend.onExec = () => Promise.resolve({ error: said, reason: 'InternalError' });
    const client = await dial(kubelet);
    expect(await client.status).toEqual({ error, reason: 'InternalError' });
    expect(kubelet.logger.lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });
});

describe('a command is refused before the upgrade', () => {
  test.each([
    ['for nobody', { token: 'invented' }, 401, 'Unauthorized'],
    ['without a command', { query: 'output=1' }, 400, 'you must specify a command'],
    ['without streams', { query: 'command=ls' }, 400, 'you must specify at least 1 of stdin, stdout, stderr'],
    ['in an unknown pod', { path: '/exec/default/nobody/main' }, 404, 'pod "nobody" does not exist'],
    ['in an unknown container', { path: '/exec/default/web/other' }, 404, 'container not found ("other")'],
    ['on a path that is none', { path: '/exec/default' }, 404, '404 page not found: /exec/default'],
    ['on a path that has none', { path: '/pods' }, 405, 'use GET or HEAD for /pods'],
    [
      'to attach to in an unknown container',
      { path: '/attach/default/web/other' },
      404,
      'container not found ("other")',
    ],
  ])('%s', async (_name, command, status, sentence) => {
    const kubelet = await start();
    await expect(dial(kubelet, command)).rejects.toMatchObject({
      kind: 'refused',
      status,
      message: expect.stringContaining(sentence),
    });
    expect(kubelet.backend.called).toEqual([]);
  });

  test('in a container that does not run yet', async () => {
    const kubelet = await TestKubelet.start();
    kubelet.pods.known.push(runningPod('web', { state: { waiting: { reason: 'ContainerCreating' } } }));
    await expect(dial(kubelet)).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('container "main" in pod "web" is waiting to start: ContainerCreating'),
    });
  });

  test.each([
    ['exec', defaultPath, 'fake://1, cannot run commands in containers'],
    ['attach', '/attach/default/web/main', 'fake://1, cannot attach to containers; use kubectl logs and kubectl exec'],
  ])('by a backend without %s', async (verb, path, sentence) => {
    const kubelet = await start();
    kubelet.backend.capabilities = { ...kubelet.backend.capabilities, [verb]: false };
    await expect(dial(kubelet, { path })).rejects.toMatchObject({
      status: 501,
      message: expect.stringContaining(sentence),
    });
  });

  test('with a Status, which the API server hands on to the user as it is', async () => {
    const kubelet = await start();
    const status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'container not found ("other")',
      reason: 'NotFound',
      code: 404,
    };
    await expect(dial(kubelet, { path: '/exec/default/web/other' })).rejects.toMatchObject({
      answer: { text: JSON.stringify(status) },
    });
  });

  test('for a user who may only read, over WebSocket as well', async () => {
    const kubelet = await start();
    const client = await kubelet.client('reader', 'readers');
    kubelet.reviews.allowed.add('reader get proxy');
    await expect(dial(kubelet, { client })).rejects.toMatchObject({ status: 403 });
    const url = new URL(`${defaultPath}?${threeStreams}`, kubelet.url);
    url.protocol = 'wss:';
    const ws = new WebSocket(url, ['v5.channel.k8s.io'], { ca: kubelet.authority.cert, ...client });
    ws.on('error', () => {});
    const [, response] = await once(ws, 'unexpected-response');
    expect(response.statusCode).toBe(403);
  });

  test('when too many run', async () => {
    const kubelet = await start({ limits: { maxStreams: 1 } });
    const ended = Promise.withResolvers<{ exitCode: number }>();
    kubelet.backend.onExec = () => ended.promise;
    const first = await dial(kubelet);
    await expect(dial(kubelet)).rejects.toMatchObject({ status: 429 });
    ended.resolve({ exitCode: 0 });
    expect(await first.status).toEqual({ exitCode: 0 });
  });
});

describe.each(['v5.channel.k8s.io', 'v4.channel.k8s.io'])('a command over WebSocket %s', (protocol) => {
  async function open(
    kubelet: TestKubelet,
    query: string,
  ): Promise<{ ws: WebSocket; received: (channel: number) => string }> {
    const url = new URL(`${defaultPath}?${query}`, kubelet.url);
    url.protocol = 'wss:';
    const ws = new WebSocket(url, [protocol], {
      ca: kubelet.authority.cert,
      headers: { Authorization: 'Bearer admin-token' },
    });
    const messages: Buffer[] = [];
    ws.on('message', (data: Buffer) => messages.push(data));
    await once(ws, 'open');
    const received = (channel: number): string =>
      messages.flatMap((item) => (item[0] === channel ? item.toString('utf8', 1) : [])).join('');
    return { ws, received };
  }

  test('has its streams and its exit code', async () => {
    const kubelet = await start();
    kubelet.backend.onExec = async (_command, io) => {
      const [input] = await once(present(io.stdin), 'data');
      write(io, 'stdout', `got ${String(input)}`);
      write(io, 'stderr', 'complaint');
      return { exitCode: 7 };
    };
    const { ws, received } = await open(kubelet, threeStreams);
    ws.send(Buffer.from('\0input'));
    expect((await once(ws, 'close'))[0]).toBe(1000);
    expect([received(1), received(2)]).toEqual(['got input', 'complaint']);
    expect(JSON.parse(received(3))).toMatchObject({
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '7' }] },
    });
  });

  test('is cancelled when the client goes away', async () => {
    const kubelet = await start();
    let cancelled = false;
    kubelet.backend.onExec = async (_command, _io, signal) => {
      await once(signal, 'abort');
      cancelled = true;
      throw signal.reason;
    };
    const { ws } = await open(kubelet, threeStreams);
    ws.terminate();
    await until(() => cancelled);
  });
});
