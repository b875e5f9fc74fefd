import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { baseImage } from './base.ts';

const root = path.join(import.meta.dirname, '../../..');
const lines = readFileSync(path.join(root, 'Containerfile'), 'utf8').split('\n');
const { version } = JSON.parse(readFileSync(path.join(root, 'packages/spillway/package.json'), 'utf8'));

test('whoever builds an image by hand gets the version of the product as its label', () => {
  const versions = lines.filter((line) => line.startsWith('ARG VERSION='));
  expect(versions).toEqual([`ARG VERSION=${version}`, `ARG VERSION=${version}`]);
});

test('the base that is made here has the name of the one that is there for everybody', () => {
  expect(lines).toContain(`ARG NODE_IMAGE=${baseImage}`);
});

test('the product starts with a limit for young objects, which would take 128 MiB without one', () => {
  expect(lines).toContain('ENTRYPOINT ["node", "--max-semi-space-size=8", "/usr/lib/spillway/bin/spillway.js"]');
});
