import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseJson } from '../json.ts';
import { buildImage, layerOf, type Blob } from './oci.ts';

const spec = {
  entries: [{ type: 'file', path: 'tool', mode: 0o755, content: Buffer.from('tool') }],
  entrypoint: ['/tool'],
  command: ['--help'],
  env: { LANG: 'C' },
} as const;

function json(blob: Blob): Record<string, unknown> {
  return JSON.parse(Buffer.from(blob.content).toString());
}

test('every digest is that of the bytes it names', () => {
  const image = buildImage(spec, 'amd64');
  for (const { digest, content } of [...image.layers, image.config, image.manifest]) {
    expect(digest).toBe(`sha256:${createHash('sha256').update(content).digest('hex')}`);
  }
});

test('the manifest leads to config and layers, the config to the layers’ content, the lowest first', () => {
  const base = layerOf(Buffer.alloc(1024));
  const { manifest, config, layers } = buildImage({ ...spec, base: [base] }, 'arm64');
  expect(layers[0]).toBe(base);
  expect(json(manifest)).toMatchObject({
    schemaVersion: 2,
    config: { digest: config.digest, size: config.content.length, mediaType: config.mediaType },
    layers: layers.map(({ digest, content, mediaType }) => ({ digest, size: content.length, mediaType })),
  });
  expect(json(config)).toMatchObject({
    architecture: 'arm64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    config: { Entrypoint: ['/tool'], Cmd: ['--help'] },
  });
});

test('programs are found without a path, and the image’s own variables are added', () => {
  const { config } = buildImage(spec, 'amd64');
  const { Env } = parseJson<{ config: { Env: string[] } }>(Buffer.from(config.content).toString()).config;
  expect(Env).toContain('LANG=C');
  expect(Env.find((entry) => entry.startsWith('PATH='))).toContain('/bin');
});

test('the same programs give the same image, so a registry takes it once', () => {
  expect(buildImage(spec, 'amd64').manifest.digest).toBe(buildImage(spec, 'amd64').manifest.digest);
});
