import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { commandUrl, type SessionServer, sessionServer } from '../testing/session-server.ts';
import { keepWriting } from '../testing/keep-writing.ts';
import { present } from '../testing/present.ts';
import { socketPair } from '../testing/socket-pair.ts';
import { settled, until } from '../testing/until.ts';
import { acceptRemoteCommand } from './accept.ts';
import { dialRemoteCommand, type RemoteCommandClient } from './client.ts';
import type { RemoteSession, RemoteStreams } from './session.ts';

const all: RemoteStreams = { stdin: true, stdout: true, stderr: true, tty: false };

async function dial(
  server: SessionServer,
  streams: RemoteStreams = all,
  options: { signal?: AbortSignal; connect?: () => Socket } = {},
): Promise<[RemoteCommandClient, RemoteSession]> {
  const query = [streams.stdin && 'input', streams.stdout && 'output', streams.stderr && 'error', streams.tty && 'tty'];
  const client = await dialRemoteCommand({
    url: commandUrl(server, ...query.filter((name) => name !== false)),
    streams,
    ...options,
  });
  return [client, await server.session()];
}

/** Sends an upgrade request by hand and returns what the server answers until it closes. */
async function upgradeBy(server: SessionServer, headers: readonly string[]): Promise<string> {
  const socket = connect(Number(server.url.port), '127.0.0.1');
  socket.write(['POST /exec?output=1 HTTP/1.1', 'Host: x', 'Connection: Upgrade', ...headers, '', ''].join('\r\n'));
  return text(socket);
}

describe('a remote command over SPDY', () => {
  test('carries the three streams and the exit code', async () => {
    const server = await sessionServer();
    const [client, session] = await dial(server);
    expect(session).toMatchObject({ protocol: 'v4.channel.k8s.io', tty: false });
    client.stdin?.end('input');
    expect(await text(present(session.stdin))).toBe('input');
    session.stdout?.write('output');
    session.stderr?.write('complaint');
    const finished = session.finish({ exitCode: 3 });
    expect(await text(present(client.stdout))).toBe('output');
    expect(await text(present(client.stderr))).toBe('complaint');
    expect(await client.status).toEqual({ exitCode: 3 });
    await finished;
    await client.close();
    expect(session.closed.aborted).toBe(false);
  });

  test('has no streams that were not asked for', async () => {
    const server = await sessionServer();
    const [client, session] = await dial(server, { stdin: false, stdout: true, stderr: false, tty: false });
    expect([session.stdin, session.stderr, client.stdin, client.stderr]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    await session.finish({ exitCode: 0 });
    expect(await client.status).toEqual({ exitCode: 0 });
  });

  test('with a terminal has sizes instead of stderr', async () => {
    const server = await sessionServer();
    const [client, session] = await dial(server, { stdin: true, stdout: true, stderr: false, tty: true });
    client.resize({ width: 111, height: 33 });
    const sizes = session.resize[Symbol.asyncIterator]();
    expect((await sizes.next()).value).toEqual({ width: 111, height: 33 });
    client.resize({ width: 80, height: 24 });
    expect((await sizes.next()).value).toEqual({ width: 80, height: 24 });
    const last = sizes.next();
    await session.finish({ exitCode: 0 });
    expect((await last).done).toBe(true);
  });

  test('tells the client why the command could not run', async () => {
    const server = await sessionServer();
    const [client, session] = await dial(server);
    await session.finish({ error: 'the container has ended', reason: 'BadRequest' });
    expect(await client.status).toEqual({ error: 'the container has ended', reason: 'BadRequest' });
  });

  test('carries 50 MB through stdin and back unchanged', async () => {
    const server = await sessionServer();
    const [client, session] = await dial(server, { stdin: true, stdout: true, stderr: false, tty: false });
    const command = pipeline(present(session.stdin), present(session.stdout)).then(() =>
      session.finish({ exitCode: 0 }),
    );
    const block = randomBytes(500_000);
    const sent = createHash('sha256');
    for (let i = 0; i < 100; i++) sent.update(block);
    const received = createHash('sha256');
    const source = Readable.from(
      (function* () {
        for (let i = 0; i < 100; i++) yield block;
      })(),
    );
    await Promise.all([pipeline(source, present(client.stdin)), pipeline(present(client.stdout), received), command]);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    expect(await client.status).toEqual({ exitCode: 0 });
  });

  test('hands on all output before the result, also when the client reads late', async () => {
    const server = await sessionServer();
    const [client, session] = await dial(server, { stdin: false, stdout: true, stderr: false, tty: false });
    session.stdout?.write(Buffer.alloc(30_000_000, 'x'));
    const finished = session.finish({ exitCode: 1 });
    let reported = false;
    client.status.then(() => (reported = true)).catch(() => {});
    await settled(() => client.stdout?.readableLength ?? 0);
    expect(reported).toBe(false);
    let length = 0;
    client.stdout?.on('data', (chunk: Buffer) => (length += chunk.length));
    expect(await client.status).toEqual({ exitCode: 1 });
    await finished;
    expect(length).toBe(30_000_000);
  });

  test('does not collect the output of a command while the client does not read', async () => {
    const server = await sessionServer();
    const [client, session] = await dial(server, { stdin: false, stdout: true, stderr: false, tty: false });
    const accepted = keepWriting(present(session.stdout));
    expect(await settled(accepted, 20_000_000)).toBeLessThan(20_000_000);
    await client.close();
  });

  test('tells when the client goes away, and finishing after that harms nobody', async () => {
    const server = await sessionServer();
    let socket: Socket | undefined;
    const url = server.url;
    const connectClient = (): Socket => (socket = connect(Number(url.port), '127.0.0.1'));
    const [client, session] = await dial(server, all, { connect: connectClient });
    const gone = once(session.closed, 'abort');
    socket?.destroy();
    await gone;
    await expect(text(present(session.stdin))).rejects.toMatchObject({ kind: 'closed' });
    session.stdout?.write('too late');
    await session.finish({ exitCode: 0 });
    await expect(client.status).rejects.toMatchObject({ kind: 'closed' });
  });

  test('ends when the server is told to stop', async () => {
    const stop = new AbortController();
    const server = await sessionServer({ signal: stop.signal });
    const [client, session] = await dial(server);
    stop.abort();
    expect(session.closed.aborted).toBe(true);
    await expect(client.status).rejects.toMatchObject({ kind: 'closed' });
  });

  test('ends when the client’s signal aborts', async () => {
    const server = await sessionServer();
    const stop = new AbortController();
    const [client, session] = await dial(server, all, { signal: stop.signal });
    stop.abort();
    await until(() => session.closed.aborted);
    await expect(client.status).rejects.toMatchObject({ kind: 'closed' });
  });

  test('ends when nothing happens for the idle time', async () => {
    // Long enough for a loaded machine to open all streams.
    const server = await sessionServer({ idleTimeoutMs: 500 });
    const [client, session] = await dial(server);
    await expect(client.status).rejects.toMatchObject({ kind: 'closed' });
    expect(session.closed.reason).toMatchObject({ kind: 'timeout' });
  });
});

describe('an upgrade to SPDY', () => {
  const spdy = 'Upgrade: SPDY/3.1';

  test.each([
    ['without sub-protocol', [spdy], 'HTTP/1.1 400', 'X-Stream-Protocol-Version is missing'],
    ['with unknown sub-protocols', [spdy, 'X-Stream-Protocol-Version: v9'], 'HTTP/1.1 403', 'client supports v9'],
    ['to something else', ['Upgrade: h2c'], 'HTTP/1.1 400', 'asks for \\"h2c\\"'],
  ])('%s is answered with a sentence', async (_name, headers, status, sentence) => {
    const server = await sessionServer();
    const answer = await upgradeBy(server, headers);
    expect(answer).toContain(status);
    expect(answer).toContain(sentence);
    expect(server.failures).toMatchObject([{ kind: 'handshake' }]);
  });

  test('names the sub-protocols that would be accepted', async () => {
    const server = await sessionServer();
    const answer = await upgradeBy(server, [spdy, 'X-Stream-Protocol-Version: v9']);
    expect(answer).toContain('X-Accepted-Stream-Protocol-Versions: v4.channel.k8s.io, v3.channel.k8s.io');
  });

  test('whose client opens no streams is given up', async () => {
    const server = await sessionServer({ creationTimeoutMs: 30 });
    const answer = await upgradeBy(server, [spdy, 'X-Stream-Protocol-Version: v4.channel.k8s.io']);
    expect(answer).toContain('HTTP/1.1 101');
    await until(() => server.failures.length > 0);
    expect(server.failures).toMatchObject([
      { kind: 'timeout', message: 'the client did not open error, stdout within 30 ms' },
    ]);
  });

  test.each(['SPDY/3.1', 'websocket'])('to %s of a client that is gone already fails', async (upgrade) => {
    const [client, socket] = await socketPair();
    client.destroy();
    socket.destroy();
    await until(() => socket.closed);
    const request = new IncomingMessage(socket);
    request.headers = { upgrade, 'x-stream-protocol-version': 'v4.channel.k8s.io' };
    await expect(acceptRemoteCommand(request, socket, Buffer.alloc(0), { streams: all })).rejects.toMatchObject({
      kind: 'closed',
    });
  });

  test('whose client goes away before it opened its streams is given up', async () => {
    const server = await sessionServer();
    const socket = connect(Number(server.url.port), '127.0.0.1');
    const lines = ['POST /exec?output=1 HTTP/1.1', 'Host: x', 'Connection: Upgrade', spdy];
    socket.write([...lines, 'X-Stream-Protocol-Version: v4.channel.k8s.io', '', ''].join('\r\n'));
    await once(socket, 'data');
    socket.destroy();
    await until(() => server.failures.length > 0);
    expect(server.failures).toMatchObject([{ kind: 'closed' }]);
  });
});
