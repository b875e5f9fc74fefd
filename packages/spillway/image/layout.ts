import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Blob, type Image, tar, type TarEntry } from '@spillway/devcluster';

// OCI image layouts: https://github.com/opencontainers/image-spec/blob/main/image-layout.md

const tagAnnotation = 'org.opencontainers.image.ref.name';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Index {
  readonly manifests: readonly Descriptor[];
}

/** Tags of the images in a folder; none when there is no layout. */
export async function tagsIn(folder: string): Promise<readonly string[]> {
  const { manifests } = await indexOf(folder);
  return manifests.flatMap(({ annotations }) => annotations?.[tagAnnotation] ?? []);
}

/** @throws Error when it is not there */
export async function readImage(folder: string, tag: string): Promise<Image> {
  const { manifests } = await indexOf(folder);
  const found = manifests.find(({ annotations }) => annotations?.[tagAnnotation] === tag);
  if (found === undefined) throw new Error(`${folder} has no image "${tag}"`);
  const manifest = await readBlob(folder, found);
  const { config, layers } = JSON.parse(Buffer.from(manifest.content).toString());
  return {
    manifest,
    config: await readBlob(folder, config),
    layers: await Promise.all(layers.map((layer: Descriptor) => readBlob(folder, layer))),
  };
}

/** An archive that `docker load`, `podman load` and `ctr images import` take. */
export function archiveOf(image: Image, name: string): Buffer {
  const { manifest, config, layers } = image;
  const descriptor = {
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.content.length,
    annotations: { [tagAnnotation]: name.slice(name.lastIndexOf(':') + 1), 'io.containerd.image.name': name },
  };
  const blobs = new Map([manifest, config, ...layers].map((blob) => [blob.digest, blob]));
  return tar([
    json('oci-layout', { imageLayoutVersion: '1.0.0' }),
    json('index.json', { schemaVersion: 2, manifests: [descriptor] }),
    directory('blobs'),
    directory('blobs/sha256'),
    ...Array.from(blobs.values(), ({ digest, content }) => file(placeOf(digest), content)),
  ]);
}

async function indexOf(folder: string): Promise<Index> {
  return readFile(path.join(folder, 'index.json'), 'utf8').then(
    (text) => JSON.parse(text),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return { manifests: [] };
      throw error;
    },
  );
}

async function readBlob(folder: string, { digest, mediaType }: Descriptor): Promise<Blob> {
  const content = await readFile(path.join(folder, placeOf(digest)));
  const is = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  if (is !== digest) throw new Error(`${folder} is damaged: ${digest} has the digest ${is}. Delete the folder`);
  return { digest, mediaType, content };
}

const placeOf = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

function json(name: string, value: object): TarEntry {
  return file(name, Buffer.from(JSON.stringify(value)));
}

function directory(name: string): TarEntry {
  return { type: 'directory', path: name, mode: 0o755 };
}

function file(name: string, content: Uint8Array): TarEntry {
  return { type: 'file', path: name, mode: 0o644, content };
}
