import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Endpoint, LinkService } from '../protocol/messages.ts';
import { dialDirectly } from './dial.ts';
import { Forwarder } from './forwarder.ts';

// Endpoints at addresses of this machine, as pods have them: 127.1.0.x.

let forwarder: Forwarder;
let contested: string[];
const closers: (() => void)[] = [];
let nowMs = 0;

const makeForwarder = (ownPorts: readonly string[] = []): Forwarder =>
  new Forwarder({
    dial: dialDirectly,
    ownPorts: new Set(ownPorts),
    now: () => nowMs,
    random: Math.random,
    onContested: ({ name }, { port, protocol }) => contested.push(`${name} ${port}/${protocol}`),
  });

beforeEach(() => {
  contested = [];
  forwarder = makeForwarder();
});
afterEach(() => {
  forwarder.close();
  for (const close of closers.splice(0)) close();
});

/** Says its address to each connection, and then echoes. */
async function startEndpoint(address: string, port: number, onSocket?: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    if (onSocket) onSocket(socket);
    else {
      socket.write(`${address}\n`);
      socket.pipe(socket);
    }
  });
  server.listen({ host: address, port, backlog: 1024 });
  await once(server, 'listening');
  closers.push(() => server.close());
  return server;
}

function service(endpoints: readonly (string | Endpoint)[], more: Partial<LinkService> = {}): LinkService {
  return {
    namespace: 'shop',
    name: 'web',
    kind: 'clusterIP',
    ports: [{ name: 'http', protocol: 'TCP', port: 18_080 }],
    groups: [
      {
        ports: [{ name: 'http', protocol: 'TCP', port: 19_090 }],
        endpoints: endpoints.map((each) => (typeof each === 'string' ? { address: each } : each)),
      },
    ],
    ...more,
  };
}

async function firstLine(address: string, port = 18_080): Promise<string> {
  const socket = connect(port, address);
  try {
    const [chunk]: Buffer[] = await once(socket, 'data');
    return chunk?.toString().trim() ?? '';
  } finally {
    socket.destroy();
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : error);
const reached = async (of: LinkService): Promise<string> => (await forwarder.reach(of))[0] ?? '';

describe('a TCP port of a Service', () => {
  test('is forwarded to the port of its endpoints, all of which get connections', async () => {
    await startEndpoint('127.1.0.1', 19_090);
    await startEndpoint('127.1.0.2', 19_090);
    const address = await reached(service(['127.1.0.1', '127.1.0.2']));
    const answers = await Promise.all(Array.from({ length: 60 }, () => firstLine(address)));
    expect(new Set(answers)).toEqual(new Set(['127.1.0.1', '127.1.0.2']));
  });

  test('stays with one endpoint if the Service says so, until that is gone', async () => {
    await startEndpoint('127.1.0.1', 19_090);
    await startEndpoint('127.1.0.2', 19_090);
    const both = service(['127.1.0.1', '127.1.0.2'], { affinitySeconds: 60 });
    const address = await reached(both);
    const first = await firstLine(address);
    for (let count = 0; count < 20; count += 1) expect(await firstLine(address)).toBe(first);
    const other = first === '127.1.0.1' ? '127.1.0.2' : '127.1.0.1';
    forwarder.update('shop/web', service([other], { affinitySeconds: 60 }));
    await forwarder.reach(both);
    expect(await firstLine(address)).toBe(other);
  });

  test('is tried at another endpoint when one does not answer', async () => {
    await startEndpoint('127.1.0.2', 19_090);
    const address = await reached(service(['127.1.0.1', '127.1.0.2']));
    const answers = await Promise.all(Array.from({ length: 20 }, () => firstLine(address)));
    expect(new Set(answers)).toEqual(new Set(['127.1.0.2']));
  });

  test('leaves endpoints alone that are going, unless there are no others', async () => {
    await startEndpoint('127.1.0.1', 19_090);
    await startEndpoint('127.1.0.2', 19_090);
    const going = { address: '127.1.0.1', draining: true };
    const address = await reached(service([going, '127.1.0.2']));
    const answers = await Promise.all(Array.from({ length: 20 }, () => firstLine(address)));
    expect(new Set(answers)).toEqual(new Set(['127.1.0.2']));
    forwarder.update('shop/web', service([going]));
    await forwarder.reach(service([going]));
    expect(await firstLine(address)).toBe('127.1.0.1');
  });

  test('refuses connections at once without endpoints, and takes them when there are some', async () => {
    const address = await reached(service([]));
    expect(await firstLine(address).catch(codeOf)).toBe('ECONNREFUSED');
    await startEndpoint('127.1.0.1', 19_090);
    forwarder.update('shop/web', service(['127.1.0.1']));
    await forwarder.reach(service([]));
    expect(await firstLine(address)).toBe('127.1.0.1');
    forwarder.update('shop/web', service([]));
    await forwarder.reach(service([]));
    expect(await firstLine(address).catch(codeOf)).toBe('ECONNREFUSED');
  });

  test('carries each direction to its own end', async () => {
    await startEndpoint('127.1.0.1', 19_090, (socket) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('end', () => socket.end(`got ${Buffer.concat(chunks).length}`));
    });
    const socket = connect({ port: 18_080, host: await reached(service(['127.1.0.1'])), allowHalfOpen: true });
    socket.end(Buffer.alloc(100_000));
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toBe('got 100000');
  });

  test('carries large transfers unchanged, in both directions at the same time', async () => {
    await startEndpoint('127.1.0.1', 19_090, (socket) => socket.pipe(socket));
    const socket = connect({ port: 18_080, host: await reached(service(['127.1.0.1'])), allowHalfOpen: true });
    const [sent, got] = [createHash('sha256'), createHash('sha256')];
    const part = randomBytes(1024 * 1024);
    const sending = (async () => {
      for (let count = 0; count < 32; count += 1) {
        part.writeUInt32BE(count, 0);
        sent.update(part);
        if (!socket.write(Buffer.from(part))) await once(socket, 'drain');
      }
      socket.end();
    })();
    for await (const chunk of socket) got.update(chunk);
    await sending;
    expect(got.digest('hex')).toBe(sent.digest('hex'));
  });

  test('takes a thousand connections at the same time', async () => {
    await startEndpoint('127.1.0.1', 19_090);
    const address = await reached(service(['127.1.0.1']));
    const sockets = Array.from({ length: 1000 }, () => connect(18_080, address));
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    expect(forwarder.isInUse('shop/web')).toBe(true);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => forwarder.isInUse('shop/web')).toBe(false);
  });

  test('breaks the connection to the client when the endpoint breaks it', async () => {
    await startEndpoint('127.1.0.1', 19_090, (socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    const socket = connect(18_080, await reached(service(['127.1.0.1'])));
    socket.write('x');
    socket.resume();
    expect(await once(socket, 'close').catch(codeOf)).toBe('ECONNRESET');
  });

  test('goes on for connections that are open when the Service changes', async () => {
    await startEndpoint('127.1.0.1', 19_090);
    await startEndpoint('127.1.0.2', 19_090);
    const socket = connect(18_080, await reached(service(['127.1.0.1'])));
    await once(socket, 'data');
    for (let count = 0; count < 20; count += 1) {
      forwarder.update('shop/web', service([count % 2 === 0 ? '127.1.0.2' : '127.1.0.1']));
    }
    forwarder.update('shop/web', undefined);
    socket.write('still there');
    const [answer]: Buffer[] = await once(socket, 'data');
    expect(answer?.toString()).toBe('still there');
    socket.destroy();
  });
});

const udp = (endpoints: readonly string[]): LinkService =>
  service([], {
    ports: [{ name: '', protocol: 'UDP', port: 18_080 }],
    groups: [
      {
        ports: [{ name: '', protocol: 'UDP', port: 19_090 }],
        endpoints: endpoints.map((address) => ({ address })),
      },
    ],
  });

async function startUdp(address: string): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (packet, from) => socket.send(`${address} ${packet.toString()}`, from.port, from.address));
  socket.bind(19_090, address);
  await once(socket, 'listening');
  closers.push(() => socket.close());
}

async function echo(socket: UdpSocket, address: string, text: string): Promise<string> {
  socket.send(text, 18_080, address);
  const [answer]: Buffer[] = await once(socket, 'message');
  return answer?.toString() ?? '';
}

test('endpoints may move a hundred times while connections come: none of them fails', async () => {
  const addresses = ['127.1.0.1', '127.1.0.2', '127.1.0.3'];
  const servers = await Promise.all(addresses.map((each) => startEndpoint(each, 19_090)));
  const address = await reached(service(addresses));
  const answers: string[] = [];
  const failures: unknown[] = [];
  const stopping = new AbortController();
  const clients = Array.from({ length: 5 }, async () => {
    while (!stopping.signal.aborted)
      await firstLine(address).then(
        (each) => answers.push(each),
        (error: unknown) => failures.push(error),
      );
  });
  for (let move = 0; move < 100; move += 1) {
    const gone = move % 3;
    // First the Service says so, then what is under way ends, then the endpoint listens no more, as with a pod that drains.
    forwarder.update('shop/web', service(addresses.filter((_, index) => index !== gone)));
    await forwarder.reach(service([]));
    const before = answers.length;
    await expect.poll(() => answers.length, { interval: 1 }).toBeGreaterThan(before + 5);
    const closed = once(servers[gone] ?? createServer(), 'close');
    servers[gone]?.close();
    await closed;
    servers[gone] = await startEndpoint(addresses[gone] ?? '', 19_090);
  }
  stopping.abort();
  await Promise.all(clients);
  expect(failures).toEqual([]);
  expect(new Set(answers)).toEqual(new Set(addresses));
});

describe('a UDP port of a Service', () => {
  test('is forwarded, and answers come from its address; a client stays with its endpoint until that is gone', async () => {
    await startUdp('127.1.0.1');
    await startUdp('127.1.0.2');
    const both = udp(['127.1.0.1', '127.1.0.2']);
    const address = await reached(both);
    const socket = createSocket('udp4');
    closers.push(() => socket.close());
    const [first] = (await echo(socket, address, 'a')).split(' ');
    for (let count = 0; count < 10; count += 1) expect(await echo(socket, address, 'b')).toBe(`${first} b`);
    const other = first === '127.1.0.1' ? '127.1.0.2' : '127.1.0.1';
    forwarder.update('shop/web', udp([other]));
    await forwarder.reach(both);
    expect(await echo(socket, address, 'c')).toBe(`${other} c`);
  });
});

describe('a port that the pod itself uses', () => {
  const same = service(['127.1.0.1'], {
    ports: [{ name: 'http', protocol: 'TCP', port: 19_090 }],
  });

  test('is left to the pod: the endpoints are named directly when they have the port of the Service', async () => {
    forwarder = makeForwarder(['19090/TCP']);
    expect(await forwarder.reach(same)).toEqual(['127.1.0.1']);
    expect(contested).toEqual(['web 19090/TCP']);
  });

  test('is noticed when nobody has declared it', async () => {
    const own = createServer().listen(19_090, '0.0.0.0');
    await once(own, 'listening');
    closers.push(() => own.close());
    expect(await forwarder.reach(same)).toEqual(['127.1.0.1']);
    expect(contested).toEqual(['web 19090/TCP']);
  });

  test('and endpoints at another port cannot be reached by the name', async () => {
    forwarder = makeForwarder(['18080/TCP']);
    expect(await forwarder.reach(service(['127.1.0.1']))).toEqual([]);
  });
});

test('the owner of an address is known as long as the Service is', async () => {
  const address = await reached(service([]));
  expect(forwarder.ownerOf(address)).toMatchObject({ namespace: 'shop', name: 'web' });
  forwarder.update('shop/web', undefined);
  expect(forwarder.ownerOf(address)).toBeUndefined();
});
