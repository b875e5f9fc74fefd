import { readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { currentEnvironment, type Image, withLock } from '@spillway/devcluster';
import { baseImage, makeBase } from './base.ts';
import { Buildah } from './buildah.ts';
import { keyOf } from './key.ts';
import { readImage, tagsIn } from './layout.ts';

/** The stages of the Containerfile that are images, and their sources. */
const sources = {
  spillway: ['kube/src', 'link-agent/src', 'spillway/bin', 'spillway/src', 'streaming/src'],
  'spillway-link-agent': ['link-agent/src'],
} as const;
export type ImageName = keyof typeof sources;

export interface BuildOptions {
  readonly report?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** More than that, and the cache begins anew. */
const keptBuilds = 40;
const root = path.join(import.meta.dirname, '../../..');

/** The version that images are tagged with. */
export async function productVersion(): Promise<string> {
  return JSON.parse(await readFile(path.join(root, 'packages/spillway/package.json'), 'utf8')).version;
}

/** An image of these sources, for this machine's architecture. Built if nothing like it was built before. */
export async function productImage(name: ImageName, options: BuildOptions = {}): Promise<Image> {
  const { report = () => {}, signal = new AbortController().signal } = options;
  const folder = path.join(currentEnvironment().cacheDir, 'images');
  const layout = path.join(folder, 'built');
  const folders = sources[name].map((each) => `packages/${each}`);
  const tag = `${name}-${await keyOf(root, folders, [baseImage, process.version, process.arch])}`;
  return withLock(
    folder,
    async () => {
      const tags = await tagsIn(layout);
      if (!tags.includes(tag)) {
        if (tags.length >= keptBuilds) await rm(layout, { recursive: true });
        await build({ name, folder, to: `oci:${layout}:${tag}`, report, signal });
      }
      return readImage(layout, tag);
    },
    () => report('waiting for another build of an image'),
  );
}

interface Build extends Required<BuildOptions> {
  readonly name: ImageName;
  readonly folder: string;
  readonly to: string;
}

async function build({ name, folder, to, report, signal }: Build): Promise<void> {
  // Another Node.js makes another base.
  const buildah = await Buildah.in(path.join(folder, `storage-${process.version}`), signal);
  if (!(await buildah.has(baseImage))) await makeBase(buildah, folder, report, signal);
  const version = await productVersion();
  const npmrc = path.join(folder, 'npmrc');
  await writeFile(npmrc, `cafile=${certificates}\n`);
  report(`${name} ${version}, by the Containerfile`);
  await buildah.build(
    (step) => report(`${name}: ${step}`),
    '--isolation=chroot',
    '--pull-never',
    `--target=${name}`,
    `--tag=${name}`,
    `--build-arg=VERSION=${version}`,
    // npm there takes its packages from where npm here has them, and trusts whom this machine trusts.
    `--volume=${path.join(homedir(), '.npm')}:/root/.npm`,
    `--volume=${path.dirname(certificates)}:${path.dirname(certificates)}:ro`,
    `--volume=${npmrc}:/usr/local/etc/npmrc:ro`,
    `--file=${path.join(root, 'Containerfile')}`,
    root,
  );
  await buildah.run('push', name, to);
  await buildah.run('rmi', name);
}

const certificates = '/etc/ssl/certs/ca-certificates.crt';
