import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type Duplex, duplexPair, Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { keepWriting } from '../testing/keep-writing.ts';
import { socketPair } from '../testing/socket-pair.ts';
import { settled, until } from '../testing/until.ts';
import { SpdyConnection, type SpdyConnectionOptions } from './connection.ts';
import { encodeDataHeader, encodePing, encodeSynReply, encodeSynStream, type Frame } from './frames.ts';
import { FrameParser } from './frame-parser.ts';
import { HeaderEncoder } from './header-block.ts';
import type { SpdyStream } from './stream.ts';

interface Pair {
  readonly client: SpdyConnection;
  readonly server: SpdyConnection;
  readonly clientSocket: Socket;
  readonly serverSocket: Socket;
  /** What the client opened, in order. */
  readonly accepted: SpdyStream[];
}

const open: SpdyConnection[] = [];

afterEach(async () => {
  for (const made of open) made.destroy();
  await Promise.all(open.splice(0).map((made) => made.closed));
});

function connection(socket: Duplex, options: SpdyConnectionOptions): SpdyConnection {
  const made = new SpdyConnection(socket, options);
  open.push(made);
  return made;
}

async function pair(options: Partial<SpdyConnectionOptions> = {}): Promise<Pair> {
  const [clientSocket, serverSocket] = await socketPair();
  const accepted: SpdyStream[] = [];
  const server = connection(serverSocket, {
    role: 'server',
    accepts: () => true,
    onStream: (stream) => accepted.push(stream),
    ...options,
  });
  const heldPingIntervalMs = options.heldPingIntervalMs ?? 10_000;
  const client = connection(clientSocket, { role: 'client', heldPingIntervalMs });
  return { client, server, clientSocket, serverSocket, accepted };
}

async function openStream(
  { client, accepted }: Pair,
  type = 'data',
): Promise<[client: SpdyStream, server: SpdyStream]> {
  const stream = await client.openStream(new Map([['streamtype', type]]));
  const other = accepted.find((candidate) => candidate.id === stream.id);
  if (other === undefined) throw new Error('the server has not got the stream');
  return [stream, other];
}

async function writeBothWays(both: Pair): Promise<void> {
  const [client, server] = await openStream(both);
  client.writable.write(Buffer.alloc(300_000));
  server.writable.write(Buffer.alloc(300_000));
}

/** A server's connection whose client is a bare socket. */
async function bare(
  options: Partial<SpdyConnectionOptions> = {},
): Promise<{ socket: Socket; server: SpdyConnection; received: Frame[]; accepted: SpdyStream[] }> {
  const [socket, serverSocket] = await socketPair();
  const received: Frame[] = [];
  const accepted: SpdyStream[] = [];
  const parser = new FrameParser();
  socket.on('data', (chunk: Buffer) => received.push(...parser.feed(chunk)));
  socket.on('error', () => {});
  const server = connection(serverSocket, {
    role: 'server',
    accepts: () => true,
    onStream: (stream) => accepted.push(stream),
    ...options,
  });
  return { socket, server, received, accepted };
}

describe('a stream', () => {
  test('carries its headers and data in both directions', async () => {
    const [client, server] = await openStream(await pair(), 'stdin');
    expect(server.headers.get('streamtype')).toBe('stdin');
    client.writable.end('from the client');
    server.writable.end('from the server');
    expect(await text(server.readable)).toBe('from the client');
    expect(await text(client.readable)).toBe('from the server');
  });

  test('goes on in one direction when the other has ended', async () => {
    const [client, server] = await openStream(await pair());
    client.writable.end();
    expect(await text(server.readable)).toBe('');
    server.writable.write('still ');
    server.writable.end('here');
    expect(await text(client.readable)).toBe('still here');
  });

  test('carries 50 MB there and back unchanged', async () => {
    const [client, server] = await openStream(await pair());
    const echo = pipeline(server.readable, server.writable);
    const sent = createHash('sha256');
    const received = createHash('sha256');
    const block = randomBytes(1_000_000);
    const source = Readable.from(
      (function* () {
        for (let i = 0; i < 50; i++) {
          block.writeUInt32BE(i);
          const copy = Buffer.from(block);
          sent.update(copy);
          yield copy;
        }
      })(),
    );
    await Promise.all([pipeline(source, client.writable), pipeline(client.readable, received), echo]);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });

  test('is refused when the server does not want it, and the connection goes on', async () => {
    const both = await pair({ accepts: (headers) => headers.get('streamtype') !== 'unwanted' });
    await expect(openStream(both, 'unwanted')).rejects.toMatchObject({ kind: 'refused' });
    const [client, server] = await openStream(both, 'wanted');
    client.writable.end('ok');
    expect(await text(server.readable)).toBe('ok');
  });

  test('above the limit is refused, and accepted again after another has ended', async () => {
    const both = await pair({ limits: { maxStreams: 1 } });
    const [client, server] = await openStream(both);
    await expect(openStream(both)).rejects.toMatchObject({ kind: 'refused' });
    client.writable.end();
    server.writable.end();
    server.readable.resume();
    client.readable.resume();
    await once(client.readable, 'end');
    await expect(openStream(both)).resolves.toBeDefined();
  });

  test('that is reset ends at both sides with an error that needs no listener', async () => {
    const both = await pair();
    const [client, server] = await openStream(both);
    client.reset();
    await expect(buffer(server.readable)).rejects.toMatchObject({ kind: 'refused' });
    await until(() => server.writable.destroyed);
    expect(client.readable.destroyed).toBe(true);
    await expect(openStream(both)).resolves.toBeDefined();
  });

  test('that the server cancels ends at the client after what was sent, however late it is read', async () => {
    const both = await pair();
    const [client, server] = await openStream(both);
    server.writable.write(Buffer.alloc(1000, 'x'));
    await until(() => client.readable.readableLength > 0);
    server.reset();
    await until(() => client.writable.destroyed);
    expect((await buffer(client.readable)).length).toBe(1000);
  });

  test('whose reader has lost interest does not hold up the others', async () => {
    const both = await pair();
    const [unread, unreadAtServer] = await openStream(both);
    const [other, otherAtServer] = await openStream(both);
    unreadAtServer.readable.destroy();
    unread.writable.end(Buffer.alloc(5_000_000));
    other.writable.end('through');
    expect(await text(otherAtServer.readable)).toBe('through');
  });
});

describe('back-pressure', () => {
  test('a writer is stopped after a few hundred kilobytes when nobody reads', async () => {
    const both = await pair();
    const [client, server] = await openStream(both);
    const accepted = keepWriting(client.writable);
    // Kernel buffers are some megabytes; an unlimited one would never stop to take.
    expect(await settled(accepted, 20_000_000)).toBeLessThan(20_000_000);
    expect(server.readable.readableLength).toBeLessThan(300_000);
    expect(both.serverSocket.readableLength).toBeLessThan(300_000);

    const before = accepted();
    server.readable.resume();
    await until(() => accepted() > before + 10_000_000);
  });

  test('of one stream lets data flow in the other direction', async () => {
    const [client, server] = await openStream(await pair());
    client.writable.write(Buffer.alloc(10_000_000));
    await until(() => server.readable.readableLength > 0);
    server.writable.end(Buffer.alloc(10_000_000, 'x'));
    expect((await buffer(client.readable)).length).toBe(10_000_000);
  });

  test('a peer that sends pings and never reads is not read from for ever', async () => {
    const [client, server] = duplexPair();
    connection(server, { role: 'server' });
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => encodePing(1)));
    expect(await settled(keepWriting(client, pings), 1_000_000)).toBeLessThan(1_000_000);
  });
});

describe('the loss of the connection', () => {
  test('ends all streams and tells why', async () => {
    const both = await pair();
    const [client, server] = await openStream(both);
    both.clientSocket.destroy();
    await both.server.closed;
    expect(both.server.ended.reason).toMatchObject({ kind: 'closed' });
    await expect(buffer(server.readable)).rejects.toMatchObject({ kind: 'closed' });
    expect(server.writable.destroyed).toBe(true);
    expect(client.writable.destroyed).toBe(true);
  });

  test('leaves readable what the peer had sent completely', async () => {
    const both = await pair();
    const [client, server] = await openStream(both);
    client.writable.end('complete');
    await until(() => server.readable.readableLength > 0);
    await both.client.close();
    await both.server.closed;
    expect(await text(server.readable)).toBe('complete');
  });

  test('comes after everything that was sent before it', async () => {
    for (let turn = 0; turn < 50; turn++) {
      const [clientSocket, serverSocket] = await socketPair();
      serverSocket.once('data', () => {
        const answer = encodeSynReply(1, new HeaderEncoder().encode(new Map()), false);
        serverSocket.end(Buffer.concat([answer, encodeDataHeader(1, 4, true), Buffer.from('last')]));
      });
      const client = connection(clientSocket, { role: 'client' });
      const stream = await client.openStream(new Map());
      expect(await text(stream.readable)).toBe('last');
    }
  });

  test('is noticed while a slow reader keeps the connection from being read', async () => {
    const both = await pair({ heldPingIntervalMs: 5 });
    const [client, server] = await openStream(both);
    client.writable.write(Buffer.alloc(20_000_000));
    await until(() => server.readable.readableLength > 0);
    both.clientSocket.destroy();
    await both.server.closed;
    expect(both.server.ended.aborted).toBe(true);
  });

  test('at any moment crashes nothing', async () => {
    for (let turn = 0; turn < 40; turn++) {
      const both = await pair({ heldPingIntervalMs: 5 });
      const opening = writeBothWays(both).catch(() => {});
      const victim = turn % 2 === 0 ? both.clientSocket : both.serverSocket;
      for (let i = 0; i < turn; i++) await new Promise(setImmediate);
      victim.resetAndDestroy();
      await opening;
      await Promise.all([both.client.closed, both.server.closed]);
    }
  });
});

describe('a connection', () => {
  test('answers pings', async () => {
    const { socket, received } = await bare();
    socket.write(encodePing(5));
    await until(() => received.length > 0);
    expect(received).toEqual([{ type: 'ping', id: 5 }]);
  });

  test('reads what came together with the upgrade', async () => {
    const head = encodeSynStream(1, new HeaderEncoder().encode(new Map([['streamtype', 'error']])), false);
    const { accepted } = await bare({ head });
    await until(() => accepted.length > 0);
    expect(accepted[0]?.headers.get('streamtype')).toBe('error');
  });

  test('ends with GOAWAY when it is closed', async () => {
    const { socket, server, received } = await bare();
    await server.close();
    expect(received).toMatchObject([{ type: 'goAway', status: 0 }]);
    expect(socket.readableEnded).toBe(true);
  });

  test('is closed after the idle time, and every frame counts as traffic', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { server, socket, received } = await bare({ idleTimeoutMs: 1000 });
    for (let i = 1; i <= 3; i++) {
      vi.advanceTimersByTime(999);
      socket.write(encodePing(2 * i + 1));
      await until(() => received.length === i);
    }
    vi.advanceTimersByTime(999);
    expect(server.ended.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(server.ended.reason).toMatchObject({ kind: 'timeout' });
    await server.closed;
  });

  test.each([
    ['a stream id that was used before', 1],
    ['a stream id of the other side', 4],
  ])('is closed because of %s', async (_name, secondId) => {
    const { socket, server } = await bare();
    const headers = new HeaderEncoder();
    socket.write(encodeSynStream(1, headers.encode(new Map()), false));
    socket.write(encodeSynStream(secondId, headers.encode(new Map()), false));
    await server.closed;
    expect(server.ended.reason).toMatchObject({ kind: 'protocol' });
  });

  test.each([
    ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff', 'latin1')],
    ['headers that cannot be read', encodeSynStream(1, Buffer.from('garbage'), false)],
    ['a control frame that is too long', Buffer.from('8003000100ffffff', 'hex')],
  ])('tells the peer and closes when it gets %s', async (_name, bytes) => {
    const { socket, server, received } = await bare();
    socket.write(bytes);
    socket.end();
    await server.closed;
    await until(() => socket.closed);
    expect(received.at(-1)).toMatchObject({ type: 'goAway' });
  });

  test('ignores data and resets of streams that it does not know', async () => {
    const { socket, received } = await bare();
    socket.write(Buffer.concat([encodeDataHeader(77, 4, true), Buffer.from('data')]));
    socket.write(Buffer.from('80030003000000080000004d00000005', 'hex'));
    socket.write(encodePing(9));
    await until(() => received.length > 0);
    expect(received).toEqual([{ type: 'ping', id: 9 }]);
  });
});
