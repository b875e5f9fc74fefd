import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { askCommand, makeProbe, probeEnvironment, type Question } from './probe.ts';

const { serve, ask } = makeProbe();
const any = { tcp: 0, udp: 0 };
const served = await serve('it is me', any);
afterAll(() => served.stop());

const here = { host: '127.0.0.1', withinMs: 0 };
const tcp = { ...here, kind: 'tcp', port: served.tcp, expect: 'it is me' } as const;
const udp = { ...here, kind: 'udp', port: served.udp, expect: 'it is me' } as const;

it('a pod is reached over TCP and UDP, and a large transfer arrives as it was sent', async () => {
  const transfer: Question = { ...here, kind: 'transfer', port: served.tcp, bytes: 3_000_001 };
  const { answers } = await ask([tcp, udp, transfer, { kind: 'name', host: 'localhost', withinMs: 0 }]);
  expect(answers).toMatchObject([
    { ok: true, text: 'it is me' },
    { ok: true, text: 'it is me' },
    { ok: true, text: expect.stringMatching(/^\d+ MB\/s$/) },
    { ok: true, text: '127.0.0.1' },
  ]);
});

it('what does not answer is told as the system tells it, and somebody else is not taken for the pod', async () => {
  const { answers } = await ask([
    { ...tcp, port: 1 },
    { ...tcp, expect: 'another' },
    { kind: 'name', host: 'nowhere.invalid', withinMs: 0 },
    { ...tcp, kind: 'silent' },
    { ...tcp, kind: 'silent', port: 1 },
  ]);
  expect(answers).toMatchObject([
    { ok: false, code: 'ECONNREFUSED' },
    { ok: false, code: 'EOTHER' },
    { ok: false, code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) },
    { ok: false, text: 'it still answers' },
    { ok: true, text: 'nobody answers' },
  ]);
});

const portOf = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

it('a transfer that breaks off, or that is changed on its way, is no success', async () => {
  const broken = createServer((socket) => socket.end(Buffer.alloc(500)));
  const changed = createServer((socket) => socket.end(Buffer.alloc(1032)));
  const question = { ...here, kind: 'transfer', bytes: 1000 } as const;
  const { answers } = await ask([
    { ...question, port: await portOf(broken) },
    { ...question, port: await portOf(changed) },
  ]);
  expect(answers).toMatchObject([
    { ok: false, text: 'the connection was closed after 500 of 1000 bytes' },
    { ok: false, text: '1000 bytes arrived, and not as they were sent' },
  ]);
  broken.close();
  changed.close();
});

it('is asked again until it answers', async () => {
  const before = await serve('another', any);
  const asked = ask([{ ...tcp, port: before.tcp, withinMs: 20_000 }]);
  before.stop();
  const later = await serve('it is me', { tcp: before.tcp, udp: 0 });
  expect((await asked).answers).toMatchObject([{ ok: true }]);
  later.stop();
});

it('travels as its own text: a process that has nothing else runs it', async () => {
  const { name, value } = probeEnvironment();
  const [, ...words] = askCommand([tcp]);
  const env = {
    PATH: process.env['PATH'],
    [name]: value,
    KUBERNETES_SERVICE_HOST: '10.0.0.1',
    KUBERNETES_SERVICE_PORT: '443',
  };
  const { stdout } = await promisify(execFile)(process.execPath, words, { env });
  expect(JSON.parse(stdout)).toMatchObject({
    answers: [{ ok: true, text: 'it is me' }],
    surroundings: { apiServer: '10.0.0.1:443' },
  });
  // Kubernetes replaces $(NAME) in variables, and $$ by $.
  expect(value).not.toMatch(/\$[($]/);
});
