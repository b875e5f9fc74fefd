import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/** What the linter says of a tree with these files: names of rules, each with the file that breaks it. */
async function broken(files: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'spillway-architecture-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  const args = ['--config', join(root, '.dependency-cruiser.mjs'), '--output-type', 'err', 'packages'];
  const said = await new Promise<string>((resolve) =>
    execFile(join(root, 'node_modules/.bin/depcruise'), args, { cwd: folder }, (_, stdout) => resolve(stdout)),
  );
  return Array.from(
    said.matchAll(/error ([\w-]+): (\S+)/g),
    ([, rule = '', file = '']) => `${rule}: ${file}`,
  ).toSorted();
}

const source = 'packages/spillway/src';
const architecture = await readFile(join(root, 'docs/architecture.md'), 'utf8');

/** The table with this heading: what each row allows its package or folder to import. */
function allowedBy(heading: string): Record<string, readonly string[]> {
  const [, table = ''] = architecture.split(`| ${heading} | `);
  const rows = table.split('\n\n')[0]?.split('\n').slice(2) ?? [];
  const cells = rows.map((row) =>
    row
      .replaceAll('`', '')
      .split('|')
      .map((cell) => cell.trim()),
  );
  return Object.fromEntries(
    cells.map(([, name = '', , allowed = '']) => [name.replace(/^packages\/|\/$/g, ''), allowed.split(', ')]),
  );
}

const foldersIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
const exporting = 'export const own = 1;';
const importing = (path: string): string => `import { own } from '${path}';\nexport const used = own;`;

describe('docs/architecture.md', () => {
  it('leads through files that are there', () => {
    const [, walk = ''] = architecture.split('## The walk of one pod\n');
    const files = Array.from((walk.split('\n## ')[0] ?? '').matchAll(/`([\w/-]+\.ts)`/g), ([, file = '']) => file);
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => !existsSync(join(import.meta.dirname, file)))).toEqual([]);
  });

  it('has the tables that the linter enforces, for types as well', async () => {
    const found = await broken({
      [`${source}/podspec/dns.ts`]: `import type { Actor } from '../pods/actor.ts';\nexport type Dns = Actor;`,
      [`${source}/podspec/read.ts`]: `import { readFile } from 'node:fs/promises';\nexport const read = readFile;`,
      [`${source}/pods/actor.ts`]: `import { text } from '../podspec/text.ts';\nexport type Actor = typeof text;`,
      [`${source}/podspec/text.ts`]: `export const text = '';`,
      [`${source}/admission/advise.ts`]: `import { bind } from '../placement/binder/bind.ts';\nexport const b = bind;`,
      [`${source}/placement/binder/bind.ts`]: `export const bind = 1;`,
      [`${source}/ledger/ledger.ts`]: `import { watch } from '../../../kube/src/watch.ts';\nexport const w = watch;`,
      [`${source}/node/node.ts`]: `import { watch } from '../../../kube/src/watch.ts';\nexport const w = watch;`,
      'packages/kube/src/watch.ts': `import type { End } from './end.ts';\nexport const watch: End = 1;`,
      'packages/kube/src/end.ts': `import type { watch } from './watch.ts';\nexport type End = typeof watch;`,
      'packages/streaming/src/copy.ts': `import { watch } from '../../kube/src/watch.ts';\nexport const w = watch;`,
    });
    expect(found).toEqual([
      `layer-admission: ${source}/admission/advise.ts`,
      `layer-podspec: ${source}/podspec/dns.ts`,
      'no-cycles: packages/kube/src/end.ts',
      `no-io-in-podspec: ${source}/podspec/read.ts`,
      'package-streaming: packages/streaming/src/copy.ts',
      `types-of-kube-in-ledger: ${source}/ledger/ledger.ts`,
    ]);
  });

  it('has a row for each package and each folder', () => {
    expect(Object.keys(allowedBy('package')).toSorted()).toEqual(foldersIn(join(root, 'packages')).toSorted());
    expect(Object.keys(allowedBy('folder')).toSorted()).toEqual(foldersIn(import.meta.dirname).toSorted());
  });

  it('allows what its rows say and nothing else, to each package and each folder', async () => {
    const packages = Object.entries(allowedBy('package'));
    const folders = Object.entries(allowedBy('folder')).filter(([name]) => name !== 'cli');
    const files: Record<string, string> = {
      [`${source}/cli/own.ts`]: exporting,
      [`${source}/backends/backend.ts`]: exporting,
      [`${source}/placement/rules/own.ts`]: exporting,
    };
    const forbidden: string[] = [];
    const tryImport = (file: string, path: string, isAllowed: boolean): void => {
      files[file] = importing(path);
      if (!isAllowed) forbidden.push(file);
    };
    for (const [name, allowed] of packages) {
      files[`packages/${name}/src/own.ts`] = exporting;
      for (const [other] of packages.filter(([each]) => each !== name)) {
        // Only the command line of spillway may import all packages that its row names.
        tryImport(`packages/${name}/src/cli/to-${other}.ts`, `../../../${other}/src/own.ts`, allowed.includes(other));
      }
    }
    for (const [name, allowed] of folders) {
      files[`${source}/${name}/own.ts`] = exporting;
      const may = (path: string): boolean => allowed.some((each) => each === path || path.startsWith(`${each}/`));
      const contracts = name === 'podspec' ? [] : ['observability/own.ts'];
      for (const [folder] of [...folders, ['cli']].filter(([each]) => each !== name)) {
        const path = `${folder}/own.ts`;
        tryImport(`${source}/${name}/to-${folder}.ts`, `../${path}`, may(path) || contracts.includes(path));
      }
      for (const path of ['backends/backend.ts', 'placement/rules/own.ts'].filter((each) => !each.startsWith(name))) {
        tryImport(`${source}/${name}/to-${path.replaceAll('/', '-')}`, `../${path}`, may(path));
      }
      for (const [other] of packages.filter(([each]) => each !== 'spillway')) {
        tryImport(`${source}/${name}/to-package-${other}.ts`, `../../../${other}/src/own.ts`, may(other));
      }
    }
    tryImport(`${source}/unheard-of/file.ts`, '../podspec/own.ts', false);
    tryImport('packages/unheard-of/src/file.ts', '../../kube/src/own.ts', false);
    const found = (await broken(files)).map((line) => line.split(': ')[1] ?? '');
    expect([...new Set(found)].toSorted()).toEqual(forbidden.toSorted());
  });
});
