import { cp, mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundle, spillway } from '../../scripts/programs.ts';
import { mostPods, resourcesFor } from '../../src/addon/installation/resources.ts';
import { nanoOf } from '../../src/podspec/quantities.ts';

/** Spillway as its image has it. */
export interface Product extends AsyncDisposable {
  /** What follows `node`, as in the image, with the heap that Node.js allows itself in a container for so many pods. */
  arguments(pods: number): readonly string[];
}

const root = path.join(import.meta.dirname, '../../../..');

/** Bundles the sources, as for the image. */
export async function bundleProduct(): Promise<Product> {
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await mkdtempDisposable(path.join(tmpdir(), 'spillway-bench-'))).path;
  await bundle(root, spillway, path.join(folder, 'dist'));
  for (const name of ['bin', 'package.json']) {
    await cp(path.join(root, spillway.folder, name), path.join(folder, name), { recursive: true });
  }
  const flags = flagsOf(await readFile(path.join(root, 'Containerfile'), 'utf8'));
  const all = undo.move();
  return {
    arguments: (pods) => [
      ...flags,
      `--max-old-space-size=${heapMebibytes(pods)}`,
      path.join(folder, 'bin/spillway.js'),
    ],
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Of Node.js, in the image. */
function flagsOf(containerfile: string): readonly string[] {
  const [, words = ''] = /^ENTRYPOINT (\["node",.*\/bin\/spillway\.js"\])$/m.exec(containerfile) ?? [];
  if (words === '') throw new Error('the Containerfile has no entry point of spillway');
  return (JSON.parse(words) as string[]).slice(1, -1);
}

/** Node.js takes half of a container's memory limit for its old generation. */
function heapMebibytes(pods: number): number {
  const { limits } = resourcesFor(Math.min(pods, mostPods));
  return Number(nanoOf(limits?.['memory']) / 1_000_000_000n) / 2 ** 21;
}
