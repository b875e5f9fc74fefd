import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { certificateRequests, kubeconfigIdentities, pkiPaths, writeClusterPki, type PkiPaths } from './cluster-pki.ts';

let dir: string;
let paths: PkiPaths;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'spillway-pki-'));
  paths = pkiPaths(dir);
  await writeClusterPki(dir, {
    name: 'test',
    server: 'https://10.201.0.2:6443',
    nodeAddress: '10.201.0.2',
    serviceCidr: '10.96.0.0/16',
    nodeName: 'node-1',
  });
});
afterAll(() => rm(dir, { recursive: true }));

async function certificate(path: string): Promise<X509Certificate> {
  return new X509Certificate(await readFile(path));
}

test('the API server answers to its address, its service address and its service names', async () => {
  const { subjectAltName = '' } = await certificate(paths.cert('api-server'));
  for (const name of [
    'IP Address:10.201.0.2',
    'IP Address:127.0.0.1',
    'IP Address:10.96.0.1',
    'DNS:kubernetes.default.svc',
  ]) {
    expect(subjectAltName.split(', ')).toContain(name);
  }
});

test('users, the aggregation layer and etcd have authorities that do not know each other', async () => {
  const [users, frontProxy, etcd] = await Promise.all([
    certificate(paths.cert('ca')),
    certificate(paths.cert('front-proxy-ca')),
    certificate(paths.cert('etcd-ca')),
  ]);
  expect((await certificate(paths.cert('kubelet-client'))).verify(users.publicKey)).toBe(true);
  expect((await certificate(paths.cert('front-proxy'))).verify(frontProxy.publicKey)).toBe(true);
  expect((await certificate(paths.cert('etcd-client'))).verify(etcd.publicKey)).toBe(true);
  expect((await certificate(paths.cert('front-proxy'))).verify(users.publicKey)).toBe(false);
  expect((await certificate(paths.cert('kubelet-client'))).verify(etcd.publicKey)).toBe(false);
});

test('nothing of it can be read by other users', async () => {
  for (const name of await readdir(join(dir, 'pki'))) expect((await stat(join(dir, 'pki', name))).mode & 0o077).toBe(0);
  expect((await stat(paths.kubeconfig('admin'))).mode & 0o077).toBe(0);
});

test('the administrator’s kubeconfig stands alone', async () => {
  const text = await readFile(paths.kubeconfig('admin'), 'utf8');
  expect(text).toContain('server: https://10.201.0.2:6443');
  expect(text).toMatch(/certificate-authority-data: \S+/);
  const [, data = ''] = /client-certificate-data: (\S+)/.exec(text) ?? [];
  const admin = new X509Certificate(Buffer.from(data, 'base64'));
  expect(admin.subject.split('\n')).toEqual(expect.arrayContaining(['O=system:masters', 'CN=admin']));
});

test('only the administrator is in the masters’ group', () => {
  const masters = kubeconfigIdentities('node-1').filter(({ request }) =>
    request.organizations?.includes('system:masters'),
  );
  expect(masters.map(({ name }) => name)).toEqual(['admin']);
  const input = { name: 'a', server: 's', nodeAddress: '1.2.3.4', serviceCidr: '10.96.0.0/16', nodeName: 'node-1' };
  for (const { request } of certificateRequests(input))
    expect(request.organizations ?? []).not.toContain('system:masters');
});

test('a control plane alone has no kubelet’s credentials', () => {
  expect(kubeconfigIdentities(undefined).map(({ name }) => name)).not.toContain('kubelet');
  const input = { name: 'a', server: 's', nodeAddress: '127.0.0.1', serviceCidr: '10.96.0.0/16', nodeName: undefined };
  expect(certificateRequests(input).map(({ name }) => name)).not.toContain('kubelet');
});
