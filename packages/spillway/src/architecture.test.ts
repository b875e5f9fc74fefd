import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
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

describe('docs/architecture.md', () => {
  it('leads through files that are there', async () => {
    const page = await readFile(join(root, 'docs/architecture.md'), 'utf8');
    const [, walk = ''] = page.split('## The walk of one pod\n');
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
});
