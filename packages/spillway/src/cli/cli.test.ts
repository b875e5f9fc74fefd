import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type Outcome, runCommand } from './testing/run-command.ts';

const bin = path.join(import.meta.dirname, '../../bin/spillway.js');

/** As a program of its own, found and started as users do. */
function program(...args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function spillway(...args: readonly string[]): Promise<Outcome> {
  const child = program(...args);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

let dir: string;
let configFile: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'spillway-cli-'));
  configFile = path.join(dir, 'config.yaml');
  await writeFile(configFile, 'pools: [{name: a, nodeName: vk-a, backend: {type: simulated}}]\n');
});
afterAll(async () => rm(dir, { recursive: true }));

const kindsOf = async (carrier: string): Promise<unknown[]> => {
  const { stdout } = await runCommand('manifests', 'admission', '--config', configFile, '--carrier', carrier);
  return parseAllDocuments(stdout).map((document) => document.get('kind'));
};

describe('spillway', () => {
  it('says its version', async () => {
    expect(await spillway('version')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^spillway \d+\.\d+\.\d+ \(Node\.js v\d+/) as unknown,
    });
  });

  it('ends quietly when nobody reads its output any more, as in a pipe to head', async () => {
    const child = program('config', 'explain');
    child.stdout.destroy();
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('completes commands, options and their values', async () => {
    expect((await runCommand('__complete', 'config', '')).stdout).toBe('schema\nexplain\ncheck\n');
    expect((await runCommand('__complete', 'why', '--output', 'y')).stdout).toBe('yaml\n');
    expect((await runCommand('completion', 'bash')).stdout).toContain('complete -o default -F _spillway spillway');
    expect(await runCommand('completion', 'tcsh')).toMatchObject({ code: 2 });
  });

  it('is a plugin of kubectl, which may also ask it for completions', async () => {
    const link = path.join(dir, 'kubectl_complete-spillway');
    await symlink(bin, link);
    const { stdout } = await promisify(execFile)(process.execPath, [link, 'completion', '']);
    expect(stdout).toBe('bash\nzsh\nfish\n:4\n');
  });

  it('checks a configuration', async () => {
    expect(await runCommand('config', 'check', '--config', configFile)).toMatchObject({
      code: 0,
      stdout: `${configFile}: good; pools: a (node vk-a, simulated)\n`,
    });
  });

  it('says of a configuration which regions and files that it names are none', async () => {
    const file = path.join(dir, 'names.yaml');
    const login = path.join(dir, 'login.yaml');
    const ids = 'projectId: p, domainId: d, vpcId: v, networkId: n, subnetId: s, securityGroupId: g, availableZone: z';
    const cci = (rest: string): string => `pools: [{name: a, nodeName: vk, backend: {type: cci, ${ids}, ${rest}}}]\n`;
    const check = async (rest: string): Promise<string> => {
      await writeFile(file, cci(rest));
      return (await runCommand('config', 'check', '--config', file)).stderr;
    };
    await writeFile(login, 'accessKey: A\n');
    expect(await check(`region: cn-nroth-4, credentials: {file: ${login}}`)).toMatch(
      /pools\[0\]\.backend\.region: "cn-nroth-4" is not a known region of Huawei Cloud; did you mean "cn-north-4"\?.*\n.*names\.yaml:1:\d+: pools\[0\]\.backend\.credentials\.file: .*lacks secretKey/,
    );
    expect(await check(`region: cn-north-4, ca: ${dir}, credentials: {file: /nowhere}`)).toMatch(
      /backend\.ca: cannot read the certificate authority .*: it is a directory.*\n.*credentials\.file: cannot read .*\/nowhere: there is no such file/,
    );
    await writeFile(login, 'accessKey: A\nsecretKey: S\n');
    const elsewhere = 'endpoint: https://cci.local, iamEndpoint: https://iam.local';
    expect(await check(`region: mine, ${elsewhere}, credentials: {file: ${login}}`)).toBe('');
    await writeFile(file, 'pools: [{name: a, nodeName: vk, backend: {type: kubernetes, kubeconfig: /nowhere}}]\n');
    expect(await runCommand('config', 'check', '--config', file)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/pools\[0\]\.backend\.kubeconfig: .*\/nowhere.*there is no such file/),
    });
  });

  it('explains a field, and names the nearest one when there is no such field', async () => {
    expect((await runCommand('config', 'explain', 'pools.nodeName')).stdout).toContain('Name of the virtual node.');
    expect(await runCommand('config', 'explain', 'pools[].nodName')).toMatchObject({
      code: 2,
      stderr: 'there is no field "pools[].nodName"; did you mean "pools[].nodeName"?\n',
    });
  });

  it('prints the JSON Schema of its configuration', async () => {
    expect(JSON.parse((await runCommand('config', 'schema')).stdout)).toMatchObject({ required: ['pools'] });
  });

  it('prints the rights that a configuration needs, ready for kubectl', async () => {
    const { code, stdout } = await runCommand('manifests', 'rbac', '--config', configFile);
    expect(code).toBe(0);
    const kinds = parseAllDocuments(stdout).map((document) => document.get('kind'));
    expect(kinds).toContain('ClusterRole');
    expect(stdout).toContain('system:node:vk-a');
  });

  it('leaves out what Kubernetes before 1.30 does not know, and says what that means', async () => {
    const { code, stdout, stderr } = await runCommand(
      'manifests',
      'rbac',
      '--config',
      configFile,
      '--no-pod-write-policy',
    );
    expect(code).toBe(0);
    expect(stdout).toContain('kind: ClusterRole\n');
    expect(stdout).not.toContain('AdmissionPolicy');
    expect(stderr).toMatch(/may patch any pod of the cluster/);
  });

  it('prints what the API server has to be told for admission, by policies or by webhooks', async () => {
    expect(new Set(await kindsOf('policy'))).toEqual(
      new Set([
        'MutatingAdmissionPolicy',
        'MutatingAdmissionPolicyBinding',
        'ValidatingAdmissionPolicy',
        'ValidatingAdmissionPolicyBinding',
      ]),
    );
    expect(await kindsOf('webhook')).toEqual([
      'Service',
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
    ]);
  });

  it('asks for the carrier when the cluster cannot be asked', async () => {
    const kubeconfig = path.join(dir, 'kubeconfig');
    const nobody = 'https://127.0.0.1:1';
    await writeFile(
      kubeconfig,
      JSON.stringify({
        'current-context': 'a',
        contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
        clusters: [{ name: 'a', cluster: { server: nobody } }],
        users: [{ name: 'a', user: { token: 't' } }],
      }),
    );
    const file = path.join(dir, 'nobody.yaml');
    await writeFile(
      file,
      `kubernetes: {kubeconfig: ${kubeconfig}}\npools: [{name: a, nodeName: a, backend: {type: simulated}}]\n`,
    );
    const { code, stderr } = await runCommand('manifests', 'admission', '--config', file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^cannot find out what the cluster supports: .*; specify it with --carrier\n$/);
  });

  it('prints the custom resources', async () => {
    expect((await runCommand('manifests', 'crds')).stdout).toContain('name: scheduleprofiles.scheduling.cci.io');
  });

  it('ends with code 2 and one line when the credentials do not exist', async () => {
    const file = path.join(dir, 'no-credentials.yaml');
    await writeFile(
      file,
      'kubernetes: {kubeconfig: /nowhere}\npools: [{name: a, nodeName: a, backend: {type: simulated}}]\n',
    );
    const { code, stderr } = await spillway('serve', '--config', file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^[^\n]*\/nowhere[^\n]*\n$/);
  });
});
