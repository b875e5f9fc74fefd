import { createPublicKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, connect, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { Authority, createKeyPair } from './authority.ts';

const clientAuth = '1.3.6.1.5.5.7.3.2';
const serverAuth = '1.3.6.1.5.5.7.3.1';

test('a certificate names its user, its groups and its addresses, and was signed by the authority', async () => {
  const authority = await Authority.create('test');
  const { cert, key } = await authority.issue({
    commonName: 'system:node:n',
    organizations: ['system:nodes', 'others'],
    dnsNames: ['n'],
    ipAddresses: ['10.201.0.2'],
  });
  const parsed = new X509Certificate(cert);
  expect(parsed.subject.split('\n').toSorted()).toEqual(['CN=system:node:n', 'O=others', 'O=system:nodes']);
  expect(parsed.subjectAltName).toBe('DNS:n, IP Address:10.201.0.2');
  expect(parsed.keyUsage?.toSorted()).toEqual([serverAuth, clientAuth]);
  expect(parsed.ca).toBe(false);
  const issuer = new X509Certificate(authority.certPem);
  expect(issuer.ca).toBe(true);
  expect(parsed.checkIssued(issuer)).toBe(true);
  expect(parsed.verify(issuer.publicKey)).toBe(true);
  expect(parsed.publicKey.equals(createPublicKey(key))).toBe(true);
});

test('usages can be limited to one side', async () => {
  const authority = await Authority.create('test');
  const { cert } = await authority.issue({ commonName: 'a', usages: ['client'] });
  expect(new X509Certificate(cert).keyUsage).toEqual([clientAuth]);
});

test('an authority that was loaded from its files signs like the one that was created', async () => {
  const created = await Authority.create('test');
  const loaded = await Authority.load({ cert: created.certPem, key: created.keyPem });
  const { cert } = await loaded.issue({ commonName: 'a' });
  expect(new X509Certificate(cert).verify(new X509Certificate(created.certPem).publicKey)).toBe(true);
});

test('client and server with such certificates trust each other over TLS', async () => {
  const authority = await Authority.create('test');
  const ca = authority.certPem;
  const server = await authority.issue({ commonName: 'server', ipAddresses: ['127.0.0.1'], usages: ['server'] });
  const client = await authority.issue({ commonName: 'client', usages: ['client'] });
  const listener = createServer({ ...server, ca, requestCert: true, rejectUnauthorized: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const accepted = new Promise<TLSSocket>((resolve) => listener.once('secureConnection', resolve));
  const socket = connect({ host: '127.0.0.1', port, ca, ...client });
  await once(socket, 'secureConnect');
  const serverSide = await accepted;
  expect(socket.authorized).toBe(true);
  expect(serverSide.authorized).toBe(true);
  expect(serverSide.getPeerCertificate().subject.CN).toBe('client');
  socket.destroy();
  await new Promise((resolve) => listener.close(resolve));
});

test('a bare key pair has matching halves', async () => {
  const { publicKey, privateKey } = await createKeyPair();
  expect(createPublicKey(privateKey).equals(createPublicKey(publicKey))).toBe(true);
});
