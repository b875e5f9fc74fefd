import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';
import { bundledPackages } from './bundled-packages.ts';
import { noticesOf } from './notices.ts';
import { sbomOf } from './sbom.ts';

export interface Program {
  /** Of its package, from the root of the repository. */
  readonly folder: string;
  /** Of the JavaScript, in the folder that it is bundled to. */
  readonly code: string;
  /** Files that are started, from the folder of the package, by the names that they get. */
  readonly entries: Readonly<Record<string, string>>;
  /** Packages that are loaded only if they are installed. */
  readonly optional: readonly string[];
}

export const spillway: Program = {
  folder: 'packages/spillway',
  code: 'cli',
  entries: { main: 'src/cli/main.ts', 'slim-worker': 'src/admission/slim-worker.ts' },
  optional: ['@spillway/devcluster', '@spillway/cci-standin'],
};

export const linkAgent: Program = {
  folder: 'packages/link-agent',
  code: '.',
  entries: { main: 'src/main.ts' },
  optional: [],
};

/** Bundles a program with all packages that it loads. Beside the code are their licenses, and a bill of materials. */
export async function bundle(root: string, { folder, code, entries, optional }: Program, to: string): Promise<void> {
  await using bundling = await rolldown({
    cwd: path.join(root, folder),
    input: { ...entries },
    platform: 'node',
    external: [...optional],
    resolve: { conditionNames: ['spillway-source', 'node', 'import', 'default'] },
  });
  const { output } = await bundling.write({
    dir: path.join(to, code),
    cleanDir: code !== '.',
    chunkFileNames: '[name]-[hash].js',
  });
  const chunks = output.filter((file): file is OutputChunk => file.type === 'chunk');
  const packages = await bundledPackages(chunks.flatMap(({ moduleIds }) => moduleIds));
  const { name, version } = JSON.parse(await readFile(path.join(root, folder, 'package.json'), 'utf8'));
  await mkdir(to, { recursive: true });
  await writeFile(path.join(to, 'sbom.spdx.json'), sbomOf({ name, version }, packages, new Date()));
  await writeFile(path.join(to, 'LICENSES.txt'), noticesOf(packages));
  await writeFile(path.join(to, 'LICENSE'), await readFile(path.join(root, 'LICENSE')));
}
