import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { SpdyConnection } from '../spdy/connection.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { dialRemoteCommand } from './client.ts';
import { formatStatus } from './status.ts';

const streams = { stdin: false, stdout: true, stderr: false, tty: false };
const servers: (Server | TcpServer)[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function listen(server: Server | TcpServer): Promise<URL> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return new URL(`http://127.0.0.1:${address.port}/exec/token?output=1`);
}

function answering(answer: RequestListener): Promise<URL> {
  return listen(createServer(answer));
}

describe('dialling a remote command', () => {
  test('sends method, path, query and headers', async () => {
    const seen: unknown[] = [];
    const url = await answering((request, response) => {
      const { method, headers } = request;
      seen.push(method, request.url, headers.host, headers.authorization, headers['x-stream-protocol-version']);
      response.writeHead(500).end();
    });
    await dialRemoteCommand({ url, streams, headers: { Authorization: 'Bearer t' } }).catch(() => {});
    expect(seen).toEqual(['POST', '/exec/token?output=1', url.host, 'Bearer t', 'v4.channel.k8s.io']);
  });

  test('tells what a server that refuses has answered', async () => {
    const url = await answering((_request, response) => response.writeHead(404).end('container not found ("x")\n'));
    await expect(dialRemoteCommand({ url, streams })).rejects.toMatchObject({
      kind: 'refused',
      status: 404,
      message: 'the server answered the remote command with status 404: container not found ("x")',
    });
  });

  test('does not read an endless refusal', async () => {
    const url = await answering((_request, response) => {
      response.writeHead(500);
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
        response.once('drain', write);
      };
      write();
    });
    await expect(dialRemoteCommand({ url, streams })).rejects.toMatchObject({ kind: 'refused', status: 500 });
  });

  test('tells that nobody listens', async () => {
    const url = new URL('http://127.0.0.1:1/exec');
    await expect(dialRemoteCommand({ url, streams })).rejects.toMatchObject({
      kind: 'closed',
      message: expect.stringContaining('127.0.0.1:1 did not answer'),
    });
  });

  test('gives up a server that does not answer in time', async () => {
    const url = await listen(createTcpServer((socket) => socket.on('error', () => {}).resume()));
    await expect(dialRemoteCommand({ url, streams, creationTimeoutMs: 20 })).rejects.toMatchObject({
      kind: 'timeout',
      message: `${url.host} did not open the remote command within 20 ms`,
    });
  });

  test('gives up a server that upgrades and then confirms no stream', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {}).resume();
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
    });
    const url = await listen(server);
    await expect(dialRemoteCommand({ url, streams, creationTimeoutMs: 20 })).rejects.toMatchObject({ kind: 'timeout' });
  });

  test.each(['before', 'during'])('stops when the signal aborts %s it', async (when) => {
    const url = await listen(createTcpServer((socket) => socket.on('error', () => {}).resume()));
    const stop = new AbortController();
    if (when === 'before') stop.abort();
    const dialling = dialRemoteCommand({ url, streams, signal: stop.signal });
    stop.abort();
    await expect(dialling).rejects.toMatchObject({ kind: 'closed', message: 'the remote command was cancelled' });
  });

  // Containerd closes the connection right behind the result, sometimes before it has ended the streams.
  test('has the result and the output that came before the connection ended, also when no stream was ended', async () => {
    const opened: SpdyStream[] = [];
    const sockets: Duplex[] = [];
    const url = await upgradingServer((stream, socket) => {
      opened.push(stream);
      sockets.push(socket);
    });
    const client = await dialRemoteCommand({ url, streams });
    for (const { headers, writable } of opened) {
      writable.write(headers.get('streamtype') === 'error' ? formatStatus({ exitCode: 5 }) : 'the output');
    }
    sockets[0]?.end();
    let output = '';
    for await (const chunk of client.stdout ?? []) output += String(chunk);
    expect(output).toBe('the output');
    await expect(client.status).resolves.toEqual({ exitCode: 5 });
    await client.close();
  });

  test('tells that the connection was lost before there was a result', async () => {
    const opened = Promise.withResolvers<Duplex>();
    const url = await upgradingServer((_stream, socket) => opened.resolve(socket));
    const client = await dialRemoteCommand({ url, streams });
    (await opened.promise).end();
    await expect(client.status).rejects.toMatchObject({ kind: 'closed', message: 'the connection was lost' });
    await client.close();
  });
});

/** A SPDY server that does with each stream what a test wants. */
async function upgradingServer(onStream: (stream: SpdyStream, socket: Duplex) => void): Promise<URL> {
  const server = createServer();
  server.on('upgrade', (_request, socket: Duplex, head: Buffer) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n',
    );
    void new SpdyConnection(socket, {
      role: 'server',
      head,
      accepts: () => true,
      onStream: (stream) => onStream(stream, socket),
    });
  });
  return listen(server);
}
