import { createHash } from 'node:crypto';
import { tar, type TarEntry } from './tar.ts';

export interface ImageSpec {
  /** Of the topmost layer. */
  readonly entries: readonly TarEntry[];
  /** Layers below it, the lowest first: {@link layerOf}. */
  readonly base?: readonly Blob[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  /** Who runs the command, as a name or a number; default: root. */
  readonly user?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Blob {
  readonly mediaType: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly content: Uint8Array;
}

/** An image in OCI's format. */
export interface Image {
  /** The lowest first. */
  readonly layers: readonly Blob[];
  readonly config: Blob;
  readonly manifest: Blob;
}

export function buildImage(spec: ImageSpec, architecture: string): Image {
  const layers = [...(spec.base ?? []), layerOf(tar(spec.entries))];
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...spec.env };
  const config = jsonBlob('application/vnd.oci.image.config.v1+json', {
    architecture,
    os: 'linux',
    config: {
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...(spec.entrypoint ? { Entrypoint: spec.entrypoint } : {}),
      ...(spec.command ? { Cmd: spec.command } : {}),
      ...(spec.workingDir ? { WorkingDir: spec.workingDir } : {}),
      ...(spec.user ? { User: spec.user } : {}),
      ...(spec.labels ? { Labels: spec.labels } : {}),
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  const manifest = jsonBlob('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor(config),
    layers: layers.map(descriptor),
  });
  return { layers, config, manifest };
}

/** A layer of what is in a tar archive. Not compressed: it is read once, from the same machine. */
export function layerOf(archive: Uint8Array): Blob {
  return blob('application/vnd.oci.image.layer.v1.tar', archive);
}

function descriptor({ mediaType, digest, content }: Blob): object {
  return { mediaType, digest, size: content.length };
}

function jsonBlob(mediaType: string, value: object): Blob {
  return blob(mediaType, Buffer.from(JSON.stringify(value)));
}

function blob(mediaType: string, content: Uint8Array): Blob {
  return { mediaType, digest: `sha256:${createHash('sha256').update(content).digest('hex')}`, content };
}
