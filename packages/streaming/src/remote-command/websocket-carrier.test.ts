import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { commandUrl, type SessionServer, sessionServer } from '../testing/session-server.ts';
import { keepWriting } from '../testing/keep-writing.ts';
import { present } from '../testing/present.ts';
import { settled, until } from '../testing/until.ts';
import type { RemoteSession } from './session.ts';

interface Client {
  readonly ws: WebSocket;
  readonly messages: Buffer[];
  readonly binary: boolean[];
}

const allStreams = ['input', 'output', 'error'];

async function open(
  server: SessionServer,
  protocol: string | undefined,
  streams: readonly string[] = allStreams,
): Promise<[Client, RemoteSession]> {
  const url = commandUrl(server, ...streams);
  url.protocol = 'ws:';
  const ws = new WebSocket(url, protocol === undefined ? [] : [protocol]);
  const messages: Buffer[] = [];
  const binary: boolean[] = [];
  ws.on('message', (data: Buffer, isBinary) => {
    messages.push(data);
    binary.push(isBinary);
  });
  ws.on('error', () => {});
  await once(ws, 'open');
  return [{ ws, messages, binary }, await server.session()];
}

function message(channel: number, payload: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from([channel]), Buffer.from(payload)]);
}

/** What came on one channel, joined. */
function received({ messages }: Client, channel: number): string {
  return messages
    .filter((item) => item[0] === channel)
    .map((item) => item.toString('utf8', 1))
    .join('');
}

describe.each(['v5.channel.k8s.io', 'v4.channel.k8s.io'])('a remote command over WebSocket %s', (protocol) => {
  test('carries the three streams and the exit code', async () => {
    const server = await sessionServer();
    const [client, session] = await open(server, protocol);
    expect(client.ws.protocol).toBe(protocol);
    expect(session.protocol).toBe(protocol);
    await until(() => client.messages.length > 0);
    expect(client.messages[0]).toEqual(Buffer.from([1]));
    client.ws.send(message(0, 'input'));
    const [input] = await once(present(session.stdin), 'data');
    expect(String(input)).toBe('input');
    session.stdout?.write('output');
    session.stderr?.write('complaint');
    const closed = once(client.ws, 'close');
    await session.finish({ exitCode: 3 });
    expect((await closed)[0]).toBe(1000);
    expect(received(client, 1)).toBe('output');
    expect(received(client, 2)).toBe('complaint');
    expect(JSON.parse(received(client, 3))).toMatchObject({ reason: 'NonZeroExitCode' });
    expect(client.binary.every(Boolean)).toBe(true);
    expect(session.closed.aborted).toBe(false);
  });

  test('with a terminal has sizes', async () => {
    const server = await sessionServer();
    const [client, session] = await open(server, protocol, ['input', 'output', 'tty']);
    client.ws.send(message(4, '{"Width":111,"Height":33}'));
    expect((await session.resize[Symbol.asyncIterator]().next()).value).toEqual({ width: 111, height: 33 });
    await session.finish({ exitCode: 0 });
  });

  test('carries 50 MB through stdin and back unchanged', async () => {
    const server = await sessionServer();
    const [{ ws }, session] = await open(server, protocol, ['input', 'output']);
    const echo = pipeline(present(session.stdin), present(session.stdout)).catch(() => {});
    const block = randomBytes(500_000);
    const sent = createHash('sha256');
    const back = createHash('sha256');
    let length = 0;
    ws.on('message', (data: Buffer) => {
      if (data[0] !== 1) return;
      back.update(data.subarray(1));
      length += data.length - 1;
    });
    for (let i = 0; i < 100; i++) {
      sent.update(block);
      await new Promise((resolve) => ws.send(message(0, block), resolve));
    }
    await until(() => length === 50_000_000);
    expect(back.digest('hex')).toBe(sent.digest('hex'));
    await session.finish({ exitCode: 0 });
    await echo;
  });

  test('does not collect what the client sends while the command does not read', async () => {
    const server = await sessionServer();
    const [{ ws }, session] = await open(server, protocol, ['input', 'output']);
    let sent = 0;
    const chunk = message(0, Buffer.alloc(100_000));
    const send = (): void => {
      ws.send(chunk, () => {
        sent += chunk.length;
        if (ws.readyState === ws.OPEN) send();
      });
    };
    send();
    expect(await settled(() => sent, 20_000_000)).toBeLessThan(20_000_000);
    expect(session.stdin?.readableLength).toBeLessThan(500_000);
    const before = sent;
    session.stdin?.resume();
    await until(() => sent > before + 10_000_000);
    ws.terminate();
  });

  test('does not collect the output of a command while the client does not read', async () => {
    const server = await sessionServer();
    const [{ ws }, session] = await open(server, protocol, ['output']);
    ws.pause();
    const accepted = keepWriting(present(session.stdout));
    expect(await settled(accepted, 20_000_000)).toBeLessThan(20_000_000);
    ws.terminate();
  });

  test('tells when the client goes away, and finishing after that harms nobody', async () => {
    const server = await sessionServer();
    const [{ ws }, session] = await open(server, protocol);
    ws.terminate();
    await until(() => session.closed.aborted);
    await expect(text(present(session.stdin))).rejects.toMatchObject({ kind: 'closed' });
    session.stdout?.write('too late');
    await session.finish({ exitCode: 0 });
  });

  test('tells when the client says good-bye', async () => {
    const server = await sessionServer();
    const [{ ws }, session] = await open(server, protocol);
    ws.close(1000);
    await until(() => session.closed.aborted);
    expect(session.closed.reason).toMatchObject({ kind: 'closed' });
  });

  test('crashes nothing when the client goes away in the middle of output', async () => {
    const server = await sessionServer();
    for (let turn = 0; turn < 10; turn++) {
      const [{ ws }, session] = await open(server, protocol);
      for (let i = 0; i < 20; i++) session.stdout?.write(Buffer.alloc(100_000));
      for (let i = 0; i < turn; i++) await new Promise(setImmediate);
      ws.terminate();
      await session.finish({ exitCode: 0 });
      session.stdout?.write('too late');
    }
  });
});

describe('half-close', () => {
  test('of stdin comes with v5, and the other channels go on', async () => {
    const server = await sessionServer();
    const [client, session] = await open(server, 'v5.channel.k8s.io');
    client.ws.send(message(0, 'all of it'));
    client.ws.send(Buffer.from([255, 0]));
    client.ws.send(Buffer.from([255, 0]));
    client.ws.send(message(0, 'after the end'));
    expect(await text(present(session.stdin))).toBe('all of it');
    session.stdout?.write('still here');
    await session.finish({ exitCode: 0 });
    expect(received(client, 1)).toBe('still here');
  });

  test('is not part of v4: such a message means an unknown channel', async () => {
    const server = await sessionServer();
    const [client, session] = await open(server, 'v4.channel.k8s.io');
    client.ws.send(Buffer.from([255, 0]));
    client.ws.send(message(0, 'more'));
    expect(String((await once(present(session.stdin), 'data'))[0])).toBe('more');
    await session.finish({ exitCode: 0 });
  });
});

describe('the legacy protocols', () => {
  test.each([undefined, 'channel.k8s.io'])(
    '%s report failure as a sentence and success not at all',
    async (protocol) => {
      const server = await sessionServer();
      const [failing, failed] = await open(server, protocol, ['output']);
      await failed.finish({ exitCode: 3 });
      expect(received(failing, 3)).toBe('command terminated with non-zero exit code: exit status 3');
      const [succeeding, succeeded] = await open(server, protocol, ['output']);
      await succeeded.finish({ exitCode: 0 });
      expect(received(succeeding, 3)).toBe('');
    },
  );

  test.each(['v4.base64.channel.k8s.io', 'base64.channel.k8s.io'])('%s uses text messages', async (protocol) => {
    const server = await sessionServer();
    const [client, session] = await open(server, protocol, ['input', 'error']);
    client.ws.send(`0${Buffer.from('input \xff').toString('base64')}`);
    expect(String((await once(present(session.stdin), 'data'))[0])).toBe('input \xff');
    session.stderr?.write('complaint');
    await session.finish({ error: 'gone' });
    const texts = client.messages.map(String);
    expect(texts.slice(0, 2)).toEqual(['2', `2${Buffer.from('complaint').toString('base64')}`]);
    expect(Buffer.from(texts[2]?.slice(1) ?? '', 'base64').toString()).toContain('gone');
    expect(client.binary.some(Boolean)).toBe(false);
  });
});

describe('a WebSocket session', () => {
  test('announces itself on the first channel that is written to', async () => {
    const server = await sessionServer();
    for (const [streams, channel] of [
      [['output', 'error'], 1],
      [['error'], 2],
      [['input'], 3],
    ] as const) {
      const [client, session] = await open(server, 'v4.channel.k8s.io', streams);
      await until(() => client.messages.length > 0);
      expect(client.messages[0]).toEqual(Buffer.from([channel]));
      await session.finish({ exitCode: 0 });
    }
  });

  test('passes over channels that do not exist and empty messages', async () => {
    const server = await sessionServer();
    const [client, session] = await open(server, 'v5.channel.k8s.io');
    for (const bytes of [[], [0], [9, 1], [1, 1], [3, 1], [255], [255, 99]]) client.ws.send(Buffer.from(bytes));
    client.ws.send(message(0, 'input'));
    expect(String((await once(present(session.stdin), 'data'))[0])).toBe('input');
    await session.finish({ exitCode: 0 });
  });

  test('is closed when a message is far too long', async () => {
    const server = await sessionServer();
    const [{ ws }, session] = await open(server, 'v5.channel.k8s.io');
    ws.send(message(0, Buffer.alloc(5_000_000)));
    const [code] = await once(ws, 'close');
    expect(code).toBe(1009);
    await until(() => session.closed.aborted);
    expect(session.closed.reason).toMatchObject({ kind: 'protocol' });
  });

  test('ends when the server is told to stop', async () => {
    const stop = new AbortController();
    const server = await sessionServer({ signal: stop.signal });
    const [{ ws }, session] = await open(server, 'v5.channel.k8s.io');
    stop.abort();
    await once(ws, 'close');
    await until(() => session.closed.aborted);
  });

  test('ends when nothing happens for the idle time', async () => {
    const server = await sessionServer({ idleTimeoutMs: 30 });
    const [, session] = await open(server, 'v5.channel.k8s.io');
    await until(() => session.closed.aborted);
    expect(session.closed.reason).toMatchObject({ kind: 'timeout' });
  });

  test('answers pings', async () => {
    const server = await sessionServer();
    const [{ ws }, session] = await open(server, 'v5.channel.k8s.io');
    ws.ping('are you there');
    expect(String((await once(ws, 'pong'))[0])).toBe('are you there');
    await session.finish({ exitCode: 0 });
  });

  test.each([
    ['with a protocol that nobody knows', 'v9.channel.k8s.io', 403],
    ['with protocols that cannot be read', undefined, 400],
  ])('is refused %s', async (_name, protocol, status) => {
    const server = await sessionServer();
    const url = commandUrl(server, 'output');
    url.protocol = 'ws:';
    const headers = protocol === undefined ? { 'Sec-WebSocket-Protocol': 'v4.channel.k8s.io, a/b' } : {};
    const ws = new WebSocket(url, protocol === undefined ? [] : [protocol], { headers });
    ws.on('error', () => {});
    const [, response] = await once(ws, 'unexpected-response');
    expect(response.statusCode).toBe(status);
    expect(await text(response)).toContain('unable to upgrade');
  });
});
