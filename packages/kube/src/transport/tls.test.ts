import { once } from 'node:events';
import { createServer } from 'node:net';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Issued, TestAuthority } from '../../test/certificates.ts';
import { FakeApiServer, sendJson, sendStatus } from '../../test/fake-api-server.ts';
import type { ClusterConfig } from '../config/cluster-config.ts';
import { staticCredentials } from '../config/credentials.ts';
import { KubeClient } from './client.ts';

const hour = 3_600_000;
const addresses = ['127.0.0.1'];
let authority: TestAuthority;
let stranger: TestAuthority;
let serving: Issued;

beforeAll(async () => {
  authority = await TestAuthority.create('cluster');
  stranger = await TestAuthority.create('another cluster');
  serving = await authority.issue('kube-apiserver', { addresses, names: ['kubernetes'] });
});

async function ask(config: Partial<ClusterConfig>, tls: object = serving): Promise<unknown> {
  const server = await FakeApiServer.start((_, response) => sendJson(response, 200, { ok: true }), { tls });
  const client = new KubeClient({ config: { ...server.config, ca: authority.cert, ...config } });
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  return await client.request({ method: 'GET', path: '/version', retry: false });
}

describe('a server is trusted', () => {
  test('when the authority of the kubeconfig signed its certificate', async () => {
    expect(await ask({})).toEqual({ ok: true });
  });
  test('when it has the name that tls-server-name asks for', async () => {
    expect(await ask({ tlsServerName: 'kubernetes' }, await authority.issue('x', { names: ['kubernetes'] }))).toEqual({
      ok: true,
    });
  });
  test('unseen, when the kubeconfig says so', async () => {
    const { ca: _, ...config } = { ca: undefined, insecureSkipTlsVerify: true };
    expect(await ask(config, await stranger.issue('x'))).toEqual({ ok: true });
  });
});

describe('one clear line says what is wrong', () => {
  test('another authority', async () => {
    await expect(ask({ ca: stranger.cert })).rejects.toMatchObject({
      kind: 'tls',
      message: expect.stringMatching(
        /^the certificate of the API server at https:\S+ is not signed by the authority that the test trusts .*Check certificate-authority/,
      ),
    });
  });
  test('an expired certificate of the server', async () => {
    const expired = await authority.issue('x', {
      addresses,
      notBefore: new Date(Date.now() - 2 * hour),
      notAfter: new Date(Date.now() - hour),
    });
    await expect(ask({}, expired)).rejects.toMatchObject({
      kind: 'tls',
      message: expect.stringMatching(/ has expired\. Renew it on the server$/),
    });
  });
  test('a certificate from the future', async () => {
    const early = await authority.issue('x', { addresses, notBefore: new Date(Date.now() + hour / 2) });
    await expect(ask({}, early)).rejects.toMatchObject({
      kind: 'tls',
      message: expect.stringMatching(/ is not valid yet\. Check the clocks$/),
    });
  });
  test('a certificate for other names', async () => {
    const other = await authority.issue('x', { names: ['kubernetes.example'] });
    await expect(ask({}, other)).rejects.toMatchObject({
      kind: 'tls',
      message: expect.stringMatching(/is for other names .*set tls-server-name$/),
    });
  });
  test('a server without TLS', async () => {
    const server = await FakeApiServer.start((_, response) => sendJson(response, 200, {}));
    const client = new KubeClient({ config: { ...server.config, server: server.url.replace('http:', 'https:') } });
    onTestFinished(async () => {
      await client.close();
      await server.close();
    });
    await expect(client.request({ method: 'GET', path: '/version' })).rejects.toMatchObject({
      kind: 'tls',
      message: expect.stringMatching(/does not speak TLS\. Check server in the test/),
    });
  });
  test('a client certificate that the server refuses in the handshake', async () => {
    const tls = { ...serving, ca: authority.cert, requestCert: true, rejectUnauthorized: true };
    const { cert: clientCert, key: clientKey } = await stranger.issue('admin');
    await expect(ask({ credentials: staticCredentials({ clientCert, clientKey }) }, tls)).rejects.toMatchObject({
      name: 'TransportError',
    });
  });
  test('an expired client certificate, which the server only calls Unauthorized', async () => {
    const server = await FakeApiServer.start((_, response) => sendStatus(response, 401, 'Unauthorized'), {
      tls: { ...serving, requestCert: true, rejectUnauthorized: false },
    });
    const { cert: clientCert, key: clientKey } = await authority.issue('admin', {
      notBefore: new Date(Date.now() - 2 * hour),
      notAfter: new Date(Date.now() - hour),
    });
    const credentials = staticCredentials({ clientCert, clientKey });
    const client = new KubeClient({ config: { ...server.config, ca: authority.cert, credentials } });
    onTestFinished(async () => {
      await client.close();
      await server.close();
    });
    await expect(client.request({ method: 'GET', path: '/version' })).rejects.toMatchObject({
      kind: 'unauthorized',
      message: expect.stringMatching(/\(the client certificate of the test expired on .*\)$/),
    });
  });
  test('nobody there', async () => {
    const server = await FakeApiServer.start(() => undefined);
    await server.close();
    const client = new KubeClient({ config: server.config });
    onTestFinished(() => client.close());
    await expect(client.request({ method: 'GET', path: '/version', retry: false })).rejects.toMatchObject({
      kind: 'unreachable',
      message: `cannot reach the API server at ${server.url}: connection refused. Check that it is running and that the address in the test is right`,
    });
  });
  test('a name that does not resolve', async () => {
    const client = new KubeClient({
      config: {
        server: 'https://no-such-host.invalid:6443',
        insecureSkipTlsVerify: false,
        namespace: 'default',
        credentials: staticCredentials({}),
        source: 'the test',
      },
    });
    onTestFinished(() => client.close());
    await expect(client.request({ method: 'GET', path: '/version', retry: false })).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(/its name (does not resolve|cannot be looked up at the moment)/),
    });
  });
  test('a peer that hangs up in the handshake', async () => {
    const peer = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(peer, 'listening');
    onTestFinished(() => void peer.close());
    const address = peer.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await expect(ask({ server: `https://127.0.0.1:${port}` })).rejects.toMatchObject({
      kind: 'unreachable',
      unsent: true,
      message: expect.stringMatching(/^the connection to the API server at https:\S+ was lost/),
    });
  });
});
