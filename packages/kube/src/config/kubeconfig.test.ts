import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { type Issued, TestAuthority } from '../../test/certificates.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { loadKubeconfig } from './kubeconfig.ts';

let directory: string;
let authority: TestAuthority;
let client: Issued;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

beforeAll(async () => {
  authority = await TestAuthority.create('cluster');
  client = await authority.issue('admin');
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  onTestFinished(() => rm(directory, { recursive: true }));
});

async function put(name: string, content: unknown): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, typeof content === 'string' ? content : stringify(content));
  return path;
}

const kubeconfig = (user: object, cluster: object = {}, context: object = {}): object => ({
  'current-context': 'dev',
  clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443/', ...cluster } }],
  users: [{ name: 'u', user }],
  contexts: [{ name: 'dev', context: { cluster: 'c', user: 'u', ...context } }],
});

async function load(content: unknown): Promise<ClusterConfig> {
  return await loadKubeconfig({ paths: [await put('config', content)] });
}

const credentialsOf = async (config: ClusterConfig): Promise<unknown> =>
  (await config.credentials.current()).credentials;

describe('a token that is rotated', () => {
  test.each([
    ['in the kubeconfig itself, as in a mounted Secret', (token: string) => put('config', kubeconfig({ token }))],
    ['in the file that it names', (token: string) => put('token', token)],
  ])('%s is used once the server refuses the old one', async (_, rotate) => {
    await put('token', 'old');
    await put('config', kubeconfig({ tokenFile: 'token' }));
    await rotate('old');
    const { credentials } = await loadKubeconfig({ paths: [join(directory, 'config')] });
    const before = await credentials.current();
    expect(before.credentials).toEqual({ token: 'old' });
    await rotate('new');
    credentials.invalidate?.(before.generation);
    const after = await credentials.current();
    expect(after.credentials).toEqual({ token: 'new' });
    expect(after.generation).toBeGreaterThan(before.generation);
  });

  test('is waited for while the file is being written', async () => {
    const { credentials } = await load(kubeconfig({ token: 'old' }));
    await put('config', 'half a file: [');
    credentials.invalidate?.((await credentials.current()).generation);
    expect(await credentials.current()).toMatchObject({ credentials: { token: 'old' } });
    await put('config', kubeconfig({ token: 'new' }));
    credentials.invalidate?.((await credentials.current()).generation);
    expect(await credentials.current()).toMatchObject({ credentials: { token: 'new' } });
  });
});

describe('a kubeconfig gives', () => {
  test('server, authority, namespace and where it comes from', async () => {
    const config = await load(
      kubeconfig({ token: 't' }, { 'certificate-authority-data': base64(authority.cert) }, { namespace: 'apps' }),
    );
    expect(config).toMatchObject({
      server: 'https://10.0.0.1:6443',
      ca: authority.cert,
      insecureSkipTlsVerify: false,
      namespace: 'apps',
      source: `${join(directory, 'config')} (context dev)`,
    });
    expect(await credentialsOf(config)).toEqual({ token: 't' });
  });
  test('client certificates from data, and from files relative to its own folder', async () => {
    const clientPair = { clientCert: client.cert, clientKey: client.key };
    const data = { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) };
    expect(await credentialsOf(await load(kubeconfig(data)))).toEqual(clientPair);
    await put('ca.crt', authority.cert);
    await put('client.crt', client.cert);
    await put('client.key', client.key);
    const config = await load(
      kubeconfig(
        { 'client-certificate': 'client.crt', 'client-key': 'client.key' },
        { 'certificate-authority': 'ca.crt' },
      ),
    );
    expect(config.ca).toBe(authority.cert);
    expect(await credentialsOf(config)).toEqual(clientPair);
  });
  test('a user name and password, nobody, and somebody else to act as', async () => {
    expect(await credentialsOf(await load(kubeconfig({ username: 'a', password: 'b' })))).toEqual({
      basic: { username: 'a', password: 'b' },
    });
    expect(await credentialsOf(await load(kubeconfig({}, {}, { user: '' })))).toEqual({});
    const config = await load(
      kubeconfig({ token: 't', as: 'jane', 'as-groups': ['dev'], 'as-user-extra': { scope: ['all'] } }),
    );
    expect(config.impersonate).toEqual({ user: 'jane', groups: ['dev'], extra: { scope: ['all'] } });
  });
});

describe('several files', () => {
  test('are merged: who names a thing first wins, missing files are skipped', async () => {
    const first = await put('first', { users: [{ name: 'u', user: { token: 'first' } }], contexts: [] });
    const second = await put('second', {
      ...kubeconfig({ token: 'second' }),
      'current-context': 'dev',
    });
    const config = await loadKubeconfig({ paths: [join(directory, 'missing'), first, '', second] });
    expect(await credentialsOf(config)).toEqual({ token: 'first' });
    expect(config.server).toBe('https://10.0.0.1:6443');
  });
  test('a context can be chosen by name', async () => {
    const path = await put('config', {
      ...kubeconfig({ token: 't' }),
      contexts: [{ name: 'other', context: { cluster: 'c', user: 'u', namespace: 'elsewhere' } }],
    });
    expect((await loadKubeconfig({ paths: [path], context: 'other' })).namespace).toBe('elsewhere');
  });
});

describe('what cannot be used is named with its file and a remedy', () => {
  const secret = 'hunter2';
  test.each([
    ['clusters: [', /config: not valid YAML: .* \(line 1, column \d+\)$/],
    ['- a', /config is not a kubeconfig: it must be a mapping/],
    [{ clusters: {} }, /config: clusters must be a list/],
    [{ clusters: ['x'] }, /config: clusters\[0\] must be a mapping with name and cluster/],
    [{ users: [{ user: {} }] }, /config: users\[0\] has no name/],
    [{ ...kubeconfig({}), 'current-context': '' }, /config sets no current-context\. It defines: dev/],
    [{ ...kubeconfig({}), 'current-context': 'prod' }, /config has no context "prod"\. It defines: dev/],
    [kubeconfig({}, {}, { cluster: 'x' }), /context "dev" names the cluster "x", which is not defined\. Defined: c/],
    [kubeconfig({}, {}, { user: 'x' }), /context "dev" names the user "x", which is not defined\. Defined: u/],
    [kubeconfig({}, { server: '10.0.0.1' }), /server "10\.0\.0\.1" of cluster "c" is not an address like https:/],
    [kubeconfig({}, { server: '' }), /cluster "c" has no server/],
    [kubeconfig({}, { 'proxy-url': 'http://p' }), /cluster "c" sets proxy-url, which is not supported/],
    [
      kubeconfig({}, { 'certificate-authority': 'no.crt' }),
      /cannot read .*no\.crt \(certificate-authority of cluster "c" .*: there is no such file/,
    ],
    [
      kubeconfig({}, { 'certificate-authority-data': 'AAAA' }),
      /certificate-authority-data of "c" must be a PEM file encoded in base64/,
    ],
    [kubeconfig({ token: 5 }), /token of "u" must be a string/],
    [kubeconfig({ tokenFile: 'gone' }), /cannot read .*gone \(tokenFile of user "u" .*: there is no such file/],
    [
      kubeconfig({ 'client-certificate-data': base64('-----BEGIN X') }),
      /user "u" has a client-certificate but no client-key/,
    ],
    [
      kubeconfig({ 'client-certificate-data': base64('-----BEGIN X'), 'client-key-data': base64('-----BEGIN Y') }),
      /the client certificate or key of user "u" cannot be read/,
    ],
    [kubeconfig({ as: 'x', 'as-groups': 'y' }), /as-groups of user "u" must be a list of strings/],
    [
      kubeconfig({ exec: { command: 'aws' }, password: secret }),
      /user "u": exec\.apiVersion must be one of client\.authentication\.k8s\.io\/v1, .*\/v1beta1\. Is the plugin "aws" up to date\?/,
    ],
    [kubeconfig({ 'auth-provider': { name: 'gcp' } }), /user "u" uses an auth-provider, which Kubernetes removed/],
  ])('%j', async (content, message) => {
    const error = await load(content).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'KubeconfigError', message: expect.stringMatching(message) });
    expect(String(error)).toContain(directory);
    expect(String(error)).not.toContain(secret);
  });
  test('an authority together with insecure-skip-tls-verify', async () => {
    const cluster = { 'certificate-authority-data': base64(authority.cert), 'insecure-skip-tls-verify': true };
    await expect(load(kubeconfig({}, cluster))).rejects.toThrow(/sets both .* Remove one/);
  });
  test('a key that belongs to another certificate', async () => {
    const { key } = await authority.issue('other');
    const user = { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(key) };
    await expect(load(kubeconfig(user))).rejects.toThrow(
      /the client key of user "u" does not belong to its certificate/,
    );
  });
  test('no file at all', async () => {
    const path = join(directory, 'missing');
    await expect(loadKubeconfig({ paths: [path] })).rejects.toThrow(
      `cannot read ${path} (kubeconfig): there is no such file`,
    );
    await expect(loadKubeconfig({ paths: [] })).rejects.toThrow('no kubeconfig given');
  });
});
