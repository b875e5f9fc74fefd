// `npm run image`: builds Spillway's images by the Containerfile, and writes them to dist/.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../src/cli/mistake.ts';
import { runMain, say } from '../testkit/main-program.ts';
import { productImage, productVersion } from './images.ts';
import { archiveOf } from './layout.ts';

const root = path.join(import.meta.dirname, '../../..');
const usage = `npm run image

Builds the images spillway and spillway-link-agent by the Containerfile, with buildah and a base image of Debian's packages, and
writes them to dist/ as archives that docker load, podman load and ctr images import take.
`;

await runMain({ name: 'images', usage, parseOptions, run: buildImages });

function parseOptions(args: readonly string[]): object {
  try {
    return parseArgs({ args: [...args], options: {} });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function buildImages(_options: object, signal: AbortSignal): Promise<void> {
  const version = await productVersion();
  const folder = path.join(root, 'dist');
  await mkdir(folder, { recursive: true });
  for (const name of ['spillway', 'spillway-link-agent'] as const) {
    const image = await productImage(name, { report: say, signal });
    const archive = path.join(folder, `${name}-${version}.tar`);
    await writeFile(archive, archiveOf(image, `docker.io/library/${name}:${version}`));
    const sizes = image.layers.map(({ content }) => `${(content.length / 1e6).toFixed(1)} MB`);
    say(`${path.relative(root, archive)}: ${image.manifest.digest}, layers of ${sizes.join(', ')}`);
  }
}
