import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { TestAuthority } from '../../test/certificates.ts';
import { settle, TestClock } from '../../test/test-clock.ts';
import type { CredentialSource } from './credentials.ts';
import { ExecCredentials, type ExecCredentialsOptions } from './exec-credentials.ts';
import type { ExecPlugin } from './exec-plugin.ts';
import { loadKubeconfig } from './kubeconfig.ts';

const v1 = 'client.authentication.k8s.io/v1';
let directory: string;
let clock: TestClock;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'exec-plugin-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  clock = new TestClock();
});

/** A plugin that is a shell script in the folder of the test, with the folder as $DIR. */
async function script(body: string): Promise<string> {
  const path = join(directory, 'plugin');
  await writeFile(path, `#!/bin/sh\nDIR=${directory}\necho run >>$DIR/runs\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

const answer = (status: object, apiVersion = v1): string =>
  JSON.stringify({ kind: 'ExecCredential', apiVersion, status });

/** What the plugin prints is in a file that the test can change. */
async function prints(text: string): Promise<void> {
  await writeFile(join(directory, 'answer'), text);
}
const printing = 'cat $DIR/answer';
const runs = async (): Promise<number> => (await readFile(join(directory, 'runs'), 'utf8')).split('\n').length - 1;

async function source(
  body: string,
  more: Partial<ExecCredentialsOptions> = {},
  plugin: Partial<ExecPlugin> = {},
): Promise<ExecCredentials> {
  return new ExecCredentials({
    plugin: {
      source: '/etc/config: user "u"',
      apiVersion: v1,
      command: await script(body),
      args: [],
      env: {},
      installHint: undefined,
      provideClusterInfo: false,
      ...plugin,
    },
    cluster: { server: 'https://10.0.0.1:6443', insecureSkipTlsVerify: false },
    environment: { PATH: process.env['PATH'] },
    clock,
    ...more,
  });
}

async function messageOf(credentials: CredentialSource): Promise<string> {
  const error: unknown = await credentials.current().catch((caught: unknown) => caught);
  expect(error).toMatchObject({ name: 'KubeconfigError' });
  return String(error);
}

const inSeconds = (seconds: number): string => new Date(clock.now() + seconds * 1000).toISOString();

async function load(exec: object, cluster: object = {}, user: object = {}): Promise<CredentialSource> {
  const path = join(directory, 'config');
  const config = {
    'current-context': 'dev',
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user: { exec: { apiVersion: v1, interactiveMode: 'Never', ...exec }, ...user } }],
    contexts: [{ name: 'dev', context: { cluster: 'c', user: 'u' } }],
  };
  await writeFile(path, stringify(config));
  return (await loadKubeconfig({ paths: [path], environment: { PATH: process.env['PATH'], HOME: '/home/me' } }))
    .credentials;
}

describe('a kubeconfig with a plugin', () => {
  test('runs it when credentials are needed, with its arguments and environment, and without a standard input', async () => {
    await script(`cat >$DIR/stdin; echo "$1 $2 $REGION $HOME $KUBERNETES_EXEC_INFO" >$DIR/seen; ${printing}`);
    await prints(answer({ token: 't' }));
    const credentials = await load({
      command: './plugin',
      args: ['get-token', '--x'],
      env: [{ name: 'REGION', value: 'north' }],
    });
    await expect(runs()).rejects.toThrow();
    expect(await credentials.current()).toEqual({ generation: 1, credentials: { token: 't' } });
    expect(await readFile(join(directory, 'stdin'), 'utf8')).toBe('');
    expect(await readFile(join(directory, 'seen'), 'utf8')).toBe(
      `get-token --x north /home/me {"kind":"ExecCredential","apiVersion":"${v1}","spec":{"interactive":false}}\n`,
    );
  });

  test('tells it about the cluster if it asks for that, with the settings that are meant for it', async () => {
    const authority = await TestAuthority.create('cluster');
    const data = Buffer.from(authority.cert).toString('base64');
    await script(`echo "$KUBERNETES_EXEC_INFO" >$DIR/seen; ${printing}`);
    await prints(answer({ token: 't' }, 'client.authentication.k8s.io/v1beta1'));
    const credentials = await load(
      {
        apiVersion: 'client.authentication.k8s.io/v1beta1',
        command: './plugin',
        provideClusterInfo: true,
        interactiveMode: 'IfAvailable',
      },
      {
        'certificate-authority-data': data,
        'tls-server-name': 'api',
        extensions: [
          { name: 'other', extension: 1 },
          { name: 'client.authentication.k8s.io/exec', extension: { audience: 'a' } },
        ],
      },
    );
    await credentials.current();
    expect(JSON.parse(await readFile(join(directory, 'seen'), 'utf8'))).toEqual({
      kind: 'ExecCredential',
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      spec: {
        interactive: false,
        cluster: {
          server: 'https://10.0.0.1:6443',
          'tls-server-name': 'api',
          'certificate-authority-data': data,
          config: { audience: 'a' },
        },
      },
    });
  });

  test('may leave out the interactive mode in v1beta1 only', async () => {
    await expect(load({ command: 'x', interactiveMode: undefined })).rejects.toThrow(
      /exec\.interactiveMode must be one of Never, IfAvailable, Always/,
    );
    const beta = 'client.authentication.k8s.io/v1beta1';
    await expect(load({ command: 'x', interactiveMode: undefined, apiVersion: beta })).resolves.toBeDefined();
  });

  test.each([
    [
      { command: 'x', interactiveMode: 'Always' },
      {},
      /"x" needs a terminal \(exec\.interactiveMode: Always\), but there is none/,
    ],
    [{ command: '' }, {}, /exec\.command must name the program/],
    [{ command: 'x', apiVersion: 'client.authentication.k8s.io/v1alpha1' }, {}, /exec\.apiVersion must be one of/],
    [{ command: 'x', args: 'y' }, {}, /exec\.args must be a list of strings/],
    [{ command: 'x', env: { A: 'b' } }, {}, /exec\.env must be a list of name and value/],
    [{ command: 'x', env: [{ name: 'A' }] }, {}, /exec\.env must be a list of name and value/],
    [{ command: 'x' }, { token: 't' }, /it sets both exec and token\. Remove one/],
  ])('that cannot work is refused when it is read: %j %j', async (exec, user, message) => {
    const error: unknown = await load(exec, {}, user).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'KubeconfigError', message: expect.stringMatching(message) });
    expect(String(error)).toContain(`${directory}/config: user "u"`);
  });

  test('gives a client certificate, which must fit its key', async () => {
    const authority = await TestAuthority.create('cluster');
    const [pair, other] = await Promise.all([authority.issue('me'), authority.issue('other')]);
    await script(printing);
    await prints(answer({ clientCertificateData: pair.cert, clientKeyData: pair.key }));
    const credentials = await load({ command: './plugin' });
    expect((await credentials.current()).credentials).toEqual({ clientCert: pair.cert, clientKey: pair.key });
    await prints(answer({ clientCertificateData: pair.cert, clientKeyData: other.key }));
    const message = await messageOf(await load({ command: './plugin' }));
    expect(message).toMatch(/does not belong to its certificate/);
    expect(message).not.toContain('PRIVATE KEY');
  });
});

describe('credentials of a plugin', () => {
  test('are kept until a minute before they expire, and used while the next ones are made', async () => {
    const credentials = await source(printing);
    await prints(answer({ token: 'a', expirationTimestamp: inSeconds(3600) }));
    expect(await credentials.current()).toEqual({ generation: 1, credentials: { token: 'a' } });
    await prints(answer({ token: 'b', expirationTimestamp: inSeconds(7200) }));
    await clock.advance(3_539_000);
    expect((await credentials.current()).generation).toBe(1);
    expect(await runs()).toBe(1);
    await clock.advance(1_000);
    expect((await credentials.current()).credentials.token).toBe('a');
    await expect.poll(async () => (await credentials.current()).credentials.token).toBe('b');
    expect(await runs()).toBe(2);
  });

  test('without an expiry are kept until the server refuses them, then asked for at once', async () => {
    const credentials = await source(printing);
    await prints(answer({ token: 'a' }));
    await credentials.current();
    await clock.advance(86_400_000);
    await prints(answer({ token: 'b' }));
    expect((await credentials.current()).generation).toBe(1);
    credentials.invalidate(1);
    expect(await credentials.current()).toEqual({ generation: 2, credentials: { token: 'b' } });
    credentials.invalidate(1);
    expect((await credentials.current()).generation).toBe(2);
    expect(await runs()).toBe(2);
  });

  test('that are refused and come back unchanged are no new generation, and the plugin rests', async () => {
    const credentials = await source(printing);
    await prints(answer({ token: 'a' }));
    await credentials.current();
    for (let i = 0; i < 5; i++) {
      credentials.invalidate(1);
      await credentials.current().catch(() => undefined);
    }
    expect(await runs()).toBe(2);
    await clock.advance(5_000);
    expect((await credentials.current()).generation).toBe(1);
    expect(await runs()).toBe(3);
  });

  test('are made once for requests at the same time', async () => {
    await prints(answer({ token: 'a' }));
    const credentials = await source(printing);
    const all = await Promise.all([credentials.current(), credentials.current(), credentials.current()]);
    expect(all.map(({ generation }) => generation)).toEqual([1, 1, 1]);
    expect(await runs()).toBe(1);
  });

  test('are used as long as they are good while the plugin fails, and not longer', async () => {
    const credentials = await source(`[ -e $DIR/answer ] || { echo "no network" >&2; exit 3; }; ${printing}`);
    await prints(answer({ token: 'a', expirationTimestamp: inSeconds(600) }));
    await credentials.current();
    await rm(join(directory, 'answer'));
    await clock.advance(550_000);
    expect((await credentials.current()).credentials.token).toBe('a');
    await expect.poll(runs).toBe(2);
    await clock.advance(50_000);
    expect(await messageOf(credentials)).toMatch(/ended with code 3\. It said: no network$/);
    await prints(answer({ token: 'b', expirationTimestamp: inSeconds(600) }));
    await clock.advance(5_000);
    expect((await credentials.current()).credentials.token).toBe('b');
  });

  test('a plugin that fails is not run for each request', async () => {
    const credentials = await source('exit 1');
    for (let i = 0; i < 5; i++) await messageOf(credentials);
    await settle();
    expect(await runs()).toBe(1);
    await clock.advance(5_000);
    await messageOf(credentials);
    expect(await runs()).toBe(2);
  });
});

describe('a plugin that gives none', () => {
  test.each([
    ['nothing', 'exit 0', /it printed nothing/],
    ['no JSON', 'echo s3cr3t', /it did not print JSON/],
    ['another object', `echo '{"kind":"Pod"}'`, /it did not print an ExecCredential/],
    [
      'another version',
      `echo '${answer({ token: 's3cr3t' }, 'client.authentication.k8s.io/v1beta1')}'`,
      /it answered in another version than the kubeconfig names \(exec\.apiVersion client\.authentication\.k8s\.io\/v1\)/,
    ],
    ['no status', `echo '{"kind":"ExecCredential","apiVersion":"${v1}"}'`, /has no status/],
    ['an empty status', `echo '${answer({})}'`, /neither a token nor a certificate/],
    ['half a certificate', `echo '${answer({ clientKeyData: 's3cr3t' })}'`, /only one of clientCertificateData/],
    ['a number', `echo '${answer({ token: 5 })}'`, /its token is not a string/],
    ['no time', `echo '${answer({ token: 's3cr3t', expirationTimestamp: 'soon' })}'`, /is not a time/],
    [
      'its token and then a failure',
      `echo '${answer({ token: 's3cr3t' })}'; echo "got s3cr3t" >&2; exit 1`,
      /It said: got \[token\]$/,
    ],
  ])('is named with what it printed wrong: %s', async (_, body, expected) => {
    const message = await messageOf(await source(body));
    expect(message).toMatch(expected);
    expect(message).toContain('/etc/config: user "u": the credential plugin "');
    expect(message).not.toContain('s3cr3t');
  });

  test('because it is not installed says how to install it', async () => {
    const plugin = { command: 'no-such-plugin', installHint: 'Install it with: brew install it' };
    expect(await messageOf(await source('', {}, plugin))).toMatch(
      /"no-such-plugin" gave no credentials: there is no such program\. Install it with: brew install it$/,
    );
  });

  test('in time is killed with what it started', async () => {
    const credentials = await source('sleep 1000 & echo $! >$DIR/child; wait', { timeoutMs: 3000 });
    expect(await messageOf(credentials)).toMatch(/it did not end within 3 s/);
    const child = (await readFile(join(directory, 'child'), 'utf8')).trim();
    const state = async (): Promise<string> =>
      (await readFile(`/proc/${child}/stat`, 'utf8').catch(() => '0 (gone) Z')).split(') ')[1]?.[0] ?? '';
    await expect.poll(state).toBe('Z');
  });

  test('but prints without end is killed', async () => {
    expect(await messageOf(await source('while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done'))).toMatch(
      /it printed more than 1048576 bytes/,
    );
  });

  test('and talks without end is quoted with the end of it', async () => {
    const body = 'i=0; while [ $i -lt 2000 ]; do echo "line $i" >&2; i=$((i+1)); done; exit 1';
    const message = await messageOf(await source(body));
    expect(message).toContain('line 1999');
    expect(message.length).toBeLessThan(4600);
  });
});
