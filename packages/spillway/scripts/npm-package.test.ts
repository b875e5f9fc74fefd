// What users get who have Node.js and nothing else.
import { type ExecFileException, execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundle, spillway as program } from './programs.ts';

const root = path.join(import.meta.dirname, '../../..');
const source = path.join(root, program.folder);
let dir: string;
let installed: string;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Without anything of this repository in the way, and with an npm that reaches no registry and has no cache. */
function run(command: string, args: readonly string[], cwd: string): Promise<Outcome> {
  const env = {
    PATH: `${path.dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: dir,
    npm_config_cache: path.join(dir, 'cache'),
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env }, (error: ExecFileException | null, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const spillway = (...args: readonly string[]): Promise<Outcome> =>
  run(path.join(installed, 'node_modules/.bin/spillway'), args, installed);

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'spillway-npm-'));
  const packed = path.join(dir, 'package');
  installed = path.join(dir, 'installed');
  await Promise.all([packed, installed].map((folder) => mkdir(folder)));
  for (const name of ['bin', 'package.json', 'README.md']) {
    await cp(path.join(source, name), path.join(packed, name), { recursive: true });
  }
  await bundle(root, program, path.join(packed, 'dist'));
  const pack = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', dir], packed);
  expect(pack.code, pack.stderr).toBe(0);
  await writeFile(path.join(installed, 'package.json'), '{}');
  const install = await run('npm', ['install', path.join(dir, pack.stdout.trim())], installed);
  expect(install.code, install.stderr).toBe(0);
});

afterAll(() => rm(dir, { recursive: true }));

it('the package brings everything that it needs, and nothing else', async () => {
  expect((await readdir(path.join(installed, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual([
    'spillway',
  ]);
  const files = await readdir(path.join(installed, 'node_modules/spillway'), { recursive: true });
  expect(files).toContain('dist/cli/slim-worker.js');
  expect(files).toContain('dist/sbom.spdx.json');
  expect(files.filter((name) => /\.ts$|testing|\.map$/.test(name))).toEqual([]);
});

it('a cluster’s operator runs the commands that need no package beside it', async () => {
  const { version } = JSON.parse(await readFile(path.join(source, 'package.json'), 'utf8'));
  expect(await spillway('version')).toMatchObject({ code: 0, stdout: expect.stringContaining(`spillway ${version} `) });
  const commands = [
    'serve',
    'config',
    'manifests',
    'why',
    'plan',
    'doctor',
    'ledger',
    'install',
    'upgrade',
    'status',
    'uninstall',
    'leaks',
  ];
  const helps = await Promise.all(commands.map((name) => spillway(name, '--help')));
  expect(helps.map(({ code, stderr }) => ({ code, stderr }))).toEqual(commands.map(() => ({ code: 0, stderr: '' })));
});

it('a manifest is planned without a cluster', async () => {
  const config = path.join(dir, 'config.yaml');
  const manifest = path.join(dir, 'pod.yaml');
  await writeFile(config, 'pools:\n  - name: burst\n    nodeName: virtual-node\n    backend: { type: simulated }\n');
  await writeFile(
    manifest,
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels:\n    virtual-kubelet.io/burst-to-cci: enforce\nspec:\n  containers:\n    - name: web\n      image: nginx\n',
  );
  const { code, stdout, stderr } = await spillway('plan', '--offline', '--config', config, '-f', manifest);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/web.*burst/s);
});

it.each([
  ['dev', '@spillway/devcluster'],
  ['cci-region', '@spillway/cci-standin'],
])('spillway %s says which package it needs', async (command, name) => {
  const { code, stderr } = await spillway(command, 'up');
  expect(stderr).toContain(`"spillway ${command}" needs the package ${name}: npm install ${name}`);
  expect(code).toBe(1);
});
