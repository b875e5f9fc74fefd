import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Duplex, Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { SpdyConnection } from '../spdy/connection.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { type ForwardServer, forwardServer } from '../testing/forward-server.ts';
import { keepWriting } from '../testing/keep-writing.ts';
import { settled, until } from '../testing/until.ts';
import { requestUpgrade } from '../upgrade/request.ts';
import { tunnelOf } from '../websocket/tunnel.ts';
import { dialPortForward, type PortForwardClient } from './client.ts';
import { joinConnections } from './join.ts';
import type { ForwardedConnection } from './session.ts';

async function dial(server: ForwardServer, signal?: AbortSignal): Promise<PortForwardClient> {
  const client = await dialPortForward({ url: server.url, ...(signal && { signal }) });
  onTestFinished(() => client.close());
  return client;
}

/** Sends back what comes, and ends when it ends. */
async function echo({ readable, writable, finish }: ForwardedConnection): Promise<void> {
  await pipeline(readable, writable).catch(() => {});
  finish();
}

/** A connection over which a test opens streams by hand. */
async function byHand(server: ForwardServer): Promise<SpdyConnection> {
  const { url } = server;
  const signal = new AbortController().signal;
  const { socket, head } = await requestUpgrade({ url, protocol: 'portforward.k8s.io', what: 'it' }, signal);
  return spdyClient(socket, head);
}

function spdyClient(socket: Duplex, head: Buffer = Buffer.alloc(0)): SpdyConnection {
  const connection = new SpdyConnection(socket, { role: 'client', head });
  onTestFinished(() => connection.destroy());
  return connection;
}

function open(connection: SpdyConnection, headers: Readonly<Record<string, string>>): Promise<SpdyStream> {
  return connection.openStream(new Map(Object.entries(headers)));
}

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

function openSocket(server: ForwardServer, protocols: string[], query = '', options: ClientOptions = {}): WebSocket {
  const url = new URL(`${server.url.href}${query}`);
  url.protocol = 'ws:';
  return new WebSocket(url, protocols, options).on('error', () => {});
}

describe('a port-forward', () => {
  test('carries connections to several ports, each with its own bytes', async () => {
    const server = await forwardServer(async ({ port, readable, writable, finish }) => {
      writable.end(`port ${port} got ${await text(readable)}`);
      finish();
    });
    const client = await dial(server);
    const connections = await Promise.all([80, 443, 80].map((port) => client.open(port)));
    connections.forEach(({ writable }, index) => writable.end(`number ${index}`));
    const answers = await Promise.all(connections.map(({ readable }) => text(readable)));
    expect(answers).toEqual(['port 80 got number 0', 'port 443 got number 1', 'port 80 got number 2']);
    expect(await Promise.all(connections.map(({ failure }) => failure))).toEqual(['', '', '']);
  });

  test('carries a hundred connections at the same time, both ways, unchanged', async () => {
    const server = await forwardServer(echo);
    const client = await dial(server);
    const data = Array.from({ length: 100 }, () => randomBytes(200_000));
    const back = await Promise.all(
      data.map(async (each) => {
        const { readable, writable } = await client.open(80);
        writable.end(each);
        return await buffer(readable);
      }),
    );
    expect(back.map(sha256)).toEqual(data.map(sha256));
  });

  test('carries bytes unchanged in whatever pieces they are written', async () => {
    const server = await forwardServer(echo);
    const client = await dial(server);
    const chunks = fc.array(fc.uint8Array({ maxLength: 70_000 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(chunks, async (pieces) => {
        const { readable, writable } = await client.open(80);
        const source = Readable.from(pieces.map((piece) => Buffer.from(piece)));
        const [back] = await Promise.all([buffer(readable), pipeline(source, writable)]);
        expect(back.equals(Buffer.concat(pieces))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('whose client ends its half goes on in the other direction', async () => {
    const input = Promise.withResolvers<string>();
    const server = await forwardServer(async ({ readable, writable, finish }) => {
      input.resolve(await text(readable));
      for (let i = 0; i < 3; i++) writable.write(`line ${i}\n`);
      finish();
    });
    const { readable, writable } = await (await dial(server)).open(80);
    writable.end('question');
    expect(await input.promise).toBe('question');
    expect(await text(readable)).toBe('line 0\nline 1\nline 2\n');
  });

  test('whose server ends its half still gets what the client sends', async () => {
    const input = Promise.withResolvers<string>();
    const server = await forwardServer(async ({ readable, writable, finish }) => {
      writable.end('greeting');
      input.resolve(await text(readable));
      finish();
    });
    const { readable, writable, failure } = await (await dial(server)).open(80);
    expect(await text(readable)).toBe('greeting');
    writable.write('still ');
    writable.end('here');
    expect(await input.promise).toBe('still here');
    expect(await failure).toBe('');
  });

  test('tells the client why a connection failed, and others go on', async () => {
    const server = await forwardServer((connection) => {
      if (connection.port === 81) connection.finish('error forwarding port 81: connection refused');
      else void echo(connection);
    });
    const client = await dial(server);
    const refused = await client.open(81);
    expect(await text(refused.readable)).toBe('');
    expect(await refused.failure).toBe('error forwarding port 81: connection refused');
    const other = await client.open(80);
    other.writable.end('on');
    expect(await text(other.readable)).toBe('on');
  });

  test('tells the server when the client resets a connection, and others go on', async () => {
    const ends: string[] = [];
    const server = await forwardServer(async ({ port, readable, finish }) => {
      await text(readable).then(
        () => ends.push(`${port} ended`),
        () => ends.push(`${port} reset`),
      );
      finish();
    });
    const client = await dial(server);
    const first = await client.open(80);
    const second = await client.open(81);
    first.writable.destroy();
    await until(() => ends.length === 1);
    second.writable.end();
    await second.failure;
    expect(ends).toEqual(['80 reset', '81 ended']);
  });

  test('does not collect what nobody reads, in either direction', async () => {
    const connections: ForwardedConnection[] = [];
    const server = await forwardServer((connection) => void connections.push(connection));
    const client = await dial(server);
    const { writable, readable } = await client.open(80);
    await until(() => connections.length === 1);
    const taken = [writable, connections[0]?.writable].map((stream) => keepWriting(stream ?? writable));
    for (const each of taken) expect(await settled(each, 20_000_000)).toBeLessThan(20_000_000);
    const before = taken.map((each) => each());
    readable.resume();
    connections[0]?.readable.resume();
    await until(() => taken.every((each, index) => each() > (before[index] ?? 0) + 20_000_000));
    await client.close();
  });

  test('keeps nothing of connections that are over', async () => {
    const server = await forwardServer(echo);
    const client = await dial(server);
    // More than may be open at the same time.
    for (let round = 0; round < 11; round++) {
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const { readable, writable, failure } = await client.open(80);
          writable.end('x');
          expect(await text(readable)).toBe('x');
          await failure;
        }),
      );
    }
  });

  test('ends for both when either closes it', async () => {
    const server = await forwardServer(() => {});
    const client = await dial(server);
    await until(() => server.sessions.length === 1);
    const { failure, readable } = await client.open(80);
    await server.sessions[0]?.close();
    await until(() => client.ended.aborted);
    await expect(failure).rejects.toMatchObject({ kind: 'closed' });
    readable.resume();
    const again = await dial(server);
    await until(() => server.sessions.length === 2);
    await again.close();
    await until(() => server.sessions[1]?.ended.aborted === true);
  });

  test.each(['client', 'server'])('ends when the signal of the %s aborts', async (side) => {
    const stop = new AbortController();
    const server = await forwardServer(() => {}, side === 'server' ? { signal: stop.signal } : {});
    const client = await dial(server, side === 'client' ? stop.signal : undefined);
    await until(() => server.sessions.length === 1);
    stop.abort();
    await until(() => client.ended.aborted && server.sessions[0]?.ended.aborted === true);
  });

  test('that is joined to another one is one way, half-closed in each direction, or reset', async () => {
    let resets = 0;
    const far = await forwardServer(async ({ port, readable, writable, finish }) => {
      if (port === 99) return finish('refused there');
      try {
        writable.end(`far got ${await text(readable)}`);
      } catch {
        resets += 1;
      }
      finish();
    });
    const way = await dial(far);
    const near = await forwardServer(async (connection) => {
      const remote = await way.open(connection.port).catch((error: Error) => connection.finish(error.message));
      if (remote) await joinConnections(connection, remote);
    });
    const client = await dial(near);
    const good = await client.open(80);
    good.writable.end('all of it');
    expect(await text(good.readable)).toBe('far got all of it');
    expect(await good.failure).toBe('');
    const bad = await client.open(99);
    expect(await text(bad.readable)).toBe('');
    expect(await bad.failure).toBe('refused there');
    const lost = await client.open(80);
    lost.writable.write('some of it');
    lost.writable.destroy();
    await until(() => resets === 1);
    await way.close();
    const late = await client.open(80);
    expect(await late.failure).toBe('the connection was closed');
  });
});

describe('the streams of a port-forward', () => {
  test('belong together by their request id, in whatever order they come', async () => {
    const server = await forwardServer(echo);
    const connection = await byHand(server);
    const [dataB] = await Promise.all([
      open(connection, { streamtype: 'data', port: '80', requestid: 'b' }),
      open(connection, { streamtype: 'error', port: '80', requestid: 'a' }),
      open(connection, { streamtype: 'error', port: '80', requestid: 'b' }),
    ]);
    dataB.writable.end('b');
    expect(await text(dataB.readable)).toBe('b');
  });

  test('of a client without request ids are consecutive', async () => {
    const server = await forwardServer(echo);
    const connection = await byHand(server);
    await open(connection, { streamtype: 'error', port: '80' });
    const data = await open(connection, { streamtype: 'data', port: '80' });
    data.writable.end('old');
    expect(await text(data.readable)).toBe('old');
  });

  test.each([
    { streamtype: 'data' },
    { streamtype: 'data', port: '0' },
    { streamtype: 'data', port: '65536' },
    { streamtype: 'data', port: 'http' },
    { streamtype: 'stdin', port: '80' },
    { port: '80' },
  ])('are refused with headers %j', async (headers) => {
    const server = await forwardServer(echo);
    const connection = await byHand(server);
    await expect(open(connection, { ...headers, requestid: '1' })).rejects.toMatchObject({ kind: 'refused' });
  });

  test('are given up when the other one does not come', async () => {
    const server = await forwardServer(echo, { creationTimeoutMs: 30 });
    const connection = await byHand(server);
    const error = await open(connection, { streamtype: 'error', port: '80', requestid: '1' });
    expect(await text(error.readable)).toContain('timed out');
    const data = await open(connection, { streamtype: 'data', port: '80', requestid: '2' });
    await expect(text(data.readable)).resolves.toBe('');
  });

  test('cannot come twice', async () => {
    const server = await forwardServer(echo);
    const connection = await byHand(server);
    const headers = { streamtype: 'error', port: '80', requestid: '1' };
    await open(connection, headers);
    expect(await text((await open(connection, headers)).readable)).toBe('error stream already assigned');
  });
});

describe('a port-forward in a WebSocket', () => {
  const tunnel = 'SPDY/3.1+portforward.k8s.io';

  test('carries a whole SPDY connection in its messages', async () => {
    const server = await forwardServer(echo);
    const connection = spdyClient(await openTunnel(server));
    const data = Array.from({ length: 20 }, () => randomBytes(300_000));
    const back = await Promise.all(
      data.map(async (each, index) => {
        const headers = { port: '80', requestid: String(index) };
        const error = await open(connection, { streamtype: 'error', ...headers });
        const { readable, writable } = await open(connection, { streamtype: 'data', ...headers });
        writable.end(each);
        const received = await buffer(readable);
        expect(await text(error.readable)).toBe('');
        return received;
      }),
    );
    expect(back.map(sha256)).toEqual(data.map(sha256));
  });

  test('does not collect what nobody reads, in either direction', async () => {
    const connections: ForwardedConnection[] = [];
    const server = await forwardServer((connection) => void connections.push(connection));
    const connection = spdyClient(await openTunnel(server));
    const headers = { port: '80', requestid: '1' };
    await open(connection, { streamtype: 'error', ...headers });
    const { writable } = await open(connection, { streamtype: 'data', ...headers });
    await until(() => connections.length === 1);
    const taken = [writable, connections[0]?.writable].map((stream) => keepWriting(stream ?? writable));
    for (const each of taken) expect(await settled(each, 10_000_000)).toBeLessThan(10_000_000);
  });

  test('ends when the client goes away', async () => {
    const server = await forwardServer(echo);
    const socket = await openTunnel(server);
    await until(() => server.sessions.length === 1);
    socket.destroy();
    await until(() => server.sessions[0]?.ended.aborted === true);
  });

  test.each([
    ['v4.channel.k8s.io', 400, 'query parameter "port" is required', ''],
    ['v4.channel.k8s.io', 400, 'unable to parse "x" as a port', '?port=x'],
    ['v9.channel.k8s.io', 403, 'client supports v9.channel.k8s.io, server accepts SPDY/3.1+portforward.k8s.io', ''],
  ])('by %s is refused with %i: %s', async (protocol, code, message, query) => {
    const server = await forwardServer(echo);
    const [, response] = await once(openSocket(server, [protocol], query), 'unexpected-response');
    expect(response.statusCode).toBe(code);
    expect(JSON.parse(await text(response))).toMatchObject({
      kind: 'Status',
      message: expect.stringContaining(message),
    });
  });

  test.each(['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'])(
    'by %s has two channels for each port, and ends with the last connection',
    async (protocol) => {
      const server = await forwardServer(async ({ port, readable, writable, finish }) => {
        if (port === 81) return finish('refused');
        const [question] = await once(readable, 'data');
        writable.write(`port ${port} got ${String(question)}`);
        finish();
      });
      const isText = protocol.includes('base64');
      const ws = openSocket(server, [protocol], '?port=80,81&port=82');
      const received = new Map<number, string>();
      ws.on('message', (message: Buffer) => {
        const [channel, payload] = isText
          ? [(message[0] ?? 0) - 0x30, Buffer.from(message.toString('latin1', 1), 'base64')]
          : [message[0] ?? 0, message.subarray(1)];
        received.set(channel, (received.get(channel) ?? '') + payload.toString('latin1'));
      });
      await once(ws, 'open');
      for (const channel of [0, 4]) {
        const payload = Buffer.from('question');
        ws.send(isText ? `${channel}${payload.toString('base64')}` : Buffer.concat([Buffer.from([channel]), payload]));
      }
      expect((await once(ws, 'close'))[0]).toBe(1000);
      expect(Object.fromEntries(received)).toEqual({
        0: 'P\0port 80 got question',
        1: 'P\0',
        2: 'Q\0',
        3: 'Q\0refused',
        4: 'R\0port 82 got question',
        5: 'R\0',
      });
    },
  );

  /** The library does not ask for a name with a slash in it, nor take one. */
  async function openTunnel(server: ForwardServer): Promise<Duplex> {
    const ws = openSocket(server, [], '', { headers: { 'Sec-WebSocket-Protocol': tunnel } });
    let answered: unknown;
    ws.on('upgrade', ({ headers }) => {
      answered = headers['sec-websocket-protocol'];
      delete headers['sec-websocket-protocol'];
    });
    const stream = tunnelOf(ws);
    await once(ws, 'open');
    expect(answered).toBe(tunnel);
    return stream;
  }
});
