import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { buildImage } from '@spillway/devcluster';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveOf, readImage, tagsIn } from './layout.ts';

const run = promisify(execFile);
const image = buildImage(
  { entries: [{ type: 'file', path: 'tool', mode: 0o755, content: Buffer.from('tool') }], entrypoint: ['/tool'] },
  'amd64',
);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spillway-layout-'));
  await writeFile(path.join(folder, 'image.tar'), archiveOf(image, 'docker.io/library/tool:1.2'));
  await run('tar', ['-xf', 'image.tar'], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

test('an image comes back from its archive as it was', async () => {
  expect(await tagsIn(folder)).toEqual(['1.2']);
  expect(await readImage(folder, '1.2')).toEqual(image);
});

test('an image that is not there is named', async () => {
  await expect(readImage(folder, '1.3')).rejects.toThrow('has no image "1.3"');
  expect(await tagsIn(path.join(folder, 'none'))).toEqual([]);
});

test('damage is noticed before anybody gets the image', async () => {
  await writeFile(path.join(folder, 'blobs', image.config.digest.replace(':', '/')), '{}');
  await expect(readImage(folder, '1.2')).rejects.toThrow(/damaged.*Delete the folder/);
});
