import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import dns, { type Answer, type DecodedPacket } from 'dns-packet';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DnsServer } from './server.ts';
import { framed, FrameReader } from './tcp-frames.ts';
import { Upstream } from './upstream.ts';

const many: readonly Answer[] = Array.from({ length: 100 }, (_, index) => ({
  type: 'A',
  name: 'many.shop.svc.cluster.local',
  ttl: 5,
  data: `10.0.0.${index}`,
}));

let server: DnsServer;
let port: number;
const closers: (() => void)[] = [];
let serversOfOthers: readonly string[] = [];
let portOfOthers = 0;

/** A name server that answers over UDP that its answer is too long, and over TCP with it. */
async function startOther(): Promise<void> {
  const tcp = createServer((socket) => {
    const frames = new FrameReader();
    socket.on('data', (chunk: Buffer) => {
      for (const message of frames.push(chunk)) socket.write(framed(answerOf(message, false)));
    });
  });
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const address = tcp.address();
  portOfOthers = typeof address === 'object' && address ? address.port : 0;
  const udp = createSocket('udp4');
  udp.on('message', (message, from) => udp.send(answerOf(message, true), from.port, from.address));
  udp.bind(portOfOthers, '127.0.0.1');
  await once(udp, 'listening');
  closers.push(
    () => tcp.close(),
    () => udp.close(),
  );
}

function answerOf(message: Buffer, truncated: boolean): Buffer {
  const { id = 0, questions = [] } = dns.decode(message);
  const flags = truncated ? dns.TRUNCATED_RESPONSE : 0;
  const answers: Answer[] = truncated ? [] : [{ type: 'A', name: 'example.com', ttl: 60, data: '192.0.2.1' }];
  return dns.encode({ type: 'response', id, flags, questions, answers });
}

beforeEach(async () => {
  await startOther();
  serversOfOthers = ['127.0.0.1'];
  const upstream = new Upstream({ servers: () => serversOfOthers, port: portOfOthers, timeoutMs: 1000 });
  server = new DnsServer({
    resolver: {
      resolve: async ({ name }) => (name.startsWith('many') ? { rcode: 'NOERROR', answers: many } : undefined),
    },
    upstream,
    address: '127.0.0.1',
    port: 0,
  });
  ({ port } = await server.listen());
});
afterEach(() => {
  server.close();
  for (const close of closers.splice(0)) close();
});

const query = (name: string): Buffer => dns.encode({ type: 'query', id: 42, questions: [{ name, type: 'A' }] });

async function overUdp(message: Buffer): Promise<DecodedPacket> {
  const socket = createSocket('udp4');
  try {
    socket.send(message, port, '127.0.0.1');
    const [answer]: Buffer[] = await once(socket, 'message');
    return dns.decode(answer ?? Buffer.alloc(0));
  } finally {
    socket.close();
  }
}

async function overTcp(...messages: readonly Buffer[]): Promise<DecodedPacket[]> {
  const socket = connect(port, '127.0.0.1');
  const frames = new FrameReader();
  const answers: DecodedPacket[] = [];
  for (const message of messages) socket.write(framed(message));
  for await (const chunk of socket) {
    answers.push(...frames.push(chunk).map((each) => dns.decode(each)));
    if (answers.length === messages.length) break;
  }
  return answers;
}

test('a long answer is cut over UDP, and whole over TCP', async () => {
  const cut = await overUdp(query('many.shop.svc.cluster.local'));
  expect(cut.flag_tc).toBe(true);
  const [whole] = await overTcp(query('many.shop.svc.cluster.local'));
  expect([whole?.flag_tc, whole?.answers?.length]).toEqual([false, 100]);
});

test('other names are asked elsewhere, by the same transport, and the answer is passed on as it is', async () => {
  expect(await overUdp(query('example.com'))).toMatchObject({ id: 42, flag_tc: true });
  expect(await overTcp(query('example.com'), query('example.com'))).toMatchObject([
    { id: 42, answers: [{ data: '192.0.2.1' }] },
    { id: 42, answers: [{ data: '192.0.2.1' }] },
  ]);
});

test('when no other server answers, that is a failure', async () => {
  serversOfOthers = [];
  expect(await overUdp(query('example.com'))).toMatchObject({ id: 42, rcode: 'SERVFAIL' });
});

test('of several servers the next one is asked when one does not answer', async () => {
  serversOfOthers = ['127.0.0.2', '127.0.0.1'];
  expect(await overUdp(query('example.com'))).toMatchObject({ id: 42, flag_tc: true });
});

test('bytes that are no message are no reason to stop', async () => {
  const socket = createSocket('udp4');
  for (const bytes of [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(700, 0xff)]) {
    socket.send(bytes, port, '127.0.0.1');
  }
  const broken = connect(port, '127.0.0.1');
  broken.end(Buffer.from([0xff, 0xff, 1, 2, 3]));
  broken.resume();
  await once(broken, 'close');
  expect((await overUdp(query('many.shop.svc.cluster.local'))).flag_tc).toBe(true);
  socket.close();
});
