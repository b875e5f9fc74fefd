import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '@spillway/kube';
import { randomAccount } from '../accounts.ts';
import { Faults } from '../faults.ts';
import { AccessKeys } from '../iam/access-keys.ts';
import { Tokens } from '../iam/tokens.ts';
import { usualRules } from '../rules/call.ts';
import { MovableClock } from '../testing/movable-clock.ts';
import { Gateway } from './gateway.ts';
import { RestartableServer } from './server.ts';
import { Upstream } from './upstream.ts';

const account = randomAccount('cn-north-4');
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

interface FakeApiServer {
  readonly url: string;
  /** What came in, headers and all */
  readonly received: () => string;
  readonly sockets: readonly Socket[];
}

/** Answers every connection with the given bytes as soon as it has read the headers. */
async function fakeApiServer(answer: string): Promise<FakeApiServer> {
  let received = '';
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    let answered = false;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (answered || !received.includes('\r\n\r\n')) return;
      answered = true;
      socket.write(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${portOf(server)}`, received: () => received, sockets };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function gatewayBefore(url: string, clock: Clock = systemClock): Promise<{ port: number; token: string }> {
  const tokens = new Tokens([account], clock);
  const { domain, project, users } = account;
  const issued = tokens.issue(
    {
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: users[0]?.name, password: users[0]?.password, domain } },
        },
        scope: { project },
      },
    },
    undefined,
  );
  if ('from' in issued) throw new Error(issued.message);
  const standing = { agency: true, arrears: false, frozen: false };
  const upstream = new Upstream({ server: url });
  const gateway = new Gateway({
    sources: { accessKeys: new AccessKeys([account], clock), tokens },
    facts: {
      factsFor: () =>
        Promise.resolve({
          standing,
          namespaceProject: project.id,
          volumeProject: undefined,
          ownNamespaces: 0,
          networkStates: ['Active'],
        }),
      projectOf: () => project.id,
      standingOf: () => standing,
      setStanding: () => standing,
    },
    faults: new Faults(),
    storage: {
      imported: () => Promise.reject(new Error('no file systems')),
      stored: () => Promise.reject(new Error('no file systems')),
      keep: () => Promise.resolve(),
      imports: () => Promise.resolve([]),
    },
    upstream,
    metrics: { answer: async () => ({}) },
    rules: usualRules,
    clock,
  });
  const server = new RestartableServer({
    host: '127.0.0.1',
    handle: (request, response) => gateway.handle(request, response),
    upgrade: (request, socket, early) => gateway.handleUpgrade(request, socket, early),
  });
  await server.start();
  closers.push(() => upstream.close());
  closers.push(() => server.stop());
  return { port: Number(new URL(server.url).port), token: issued.token };
}

interface Client {
  readonly socket: Socket;
  readonly received: () => string;
}

function exec(port: number, token: string, path = '/api/v1/namespaces/a/pods/p/exec', early = ''): Client {
  let received = '';
  const socket = connect(port, '127.0.0.1');
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  closers.push(() => void socket.destroy());
  const lines = [
    `GET ${path}?command=sh&command=-c&stdin=true HTTP/1.1`,
    'Host: cci',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: abc',
    'Sec-WebSocket-Protocol: v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0',
    'Impersonate-User: admin',
    `X-Auth-Token: ${token}`,
    '',
    early,
  ];
  socket.write(lines.join('\r\n'));
  return { socket, received: () => received };
}

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Own: Yes\r\n\r\n';

test('bytes that either side sends together with its headers arrive, and so does everything after', async () => {
  const api = await fakeApiServer(`${switching}early from server`);
  const { port, token } = await gatewayBefore(api.url);
  const client = exec(port, token, undefined, 'early from client');
  await expect.poll(client.received).toBe(`${switching}early from server`);
  await expect.poll(api.received).toContain('\r\n\r\nearly from client');
  client.socket.write('\u0000\u0001more');
  await expect.poll(api.received).toContain('early from client\u0000\u0001more');
  api.sockets[0]?.end('last words');
  await once(client.socket, 'close');
  expect(client.received()).toContain('last words');
});

test('the API server sees who comes, and none of the credentials', async () => {
  const api = await fakeApiServer(switching);
  const { port, token } = await gatewayBefore(api.url);
  const client = exec(port, token);
  await expect.poll(client.received).toContain('101');
  const head = api.received();
  expect(head).toContain('GET /api/v1/namespaces/a/pods/p/exec?command=sh&command=-c&stdin=true HTTP/1.1');
  expect(head).toContain(`Impersonate-User: cci:${account.domain.name}:${account.users[0]?.name}`);
  expect(head).toContain(`Impersonate-Group: cci:project:${account.project.id}`);
  expect(head).toContain('v5.channel.k8s.io');
  for (const secret of [token, 'X-Auth-Token', 'admin', 'bearer.authorization']) expect(head).not.toContain(secret);
});

test('a refusal of the API server is passed on', async () => {
  const api = await fakeApiServer('HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nX-Own: Yes\r\n\r\nnone');
  const { port, token } = await gatewayBefore(api.url);
  const client = exec(port, token);
  await once(client.socket, 'close');
  expect(client.received()).toMatch(/^HTTP\/1.1 404 Not Found\r\n[^]*X-Own: Yes[^]*none$/);
});

test('nobody else is let through, and nothing else is upgraded', async () => {
  const api = await fakeApiServer(switching);
  const { port, token } = await gatewayBefore(api.url);
  const stranger = exec(port, 'wrong');
  await once(stranger.socket, 'close');
  expect(stranger.received()).toMatch(/^HTTP\/1.1 401 [^]*APIGW.0301/);
  const forward = exec(port, token, '/api/v1/namespaces/a/pods/p/portforward');
  await once(forward.socket, 'close');
  expect(forward.received()).toMatch(/^HTTP\/1.1 404 /);
  const logs = exec(port, token, '/api/v1/namespaces/a/pods/p/log');
  await once(logs.socket, 'close');
  expect(logs.received()).toMatch(/^HTTP\/1.1 400 /);
  expect(api.received()).toBe('');
});

test('a session ends with the token that opened it', async () => {
  const clock = new MovableClock();
  const api = await fakeApiServer(switching);
  const { port, token } = await gatewayBefore(api.url, clock);
  const client = exec(port, token);
  await expect.poll(client.received).toContain('101');
  clock.moveOn(24 * 3_600_000 + 1000);
  await once(client.socket, 'close');
  await expect.poll(() => api.sockets[0]?.destroyed).toBe(true);
});
