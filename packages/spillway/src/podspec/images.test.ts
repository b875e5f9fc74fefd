import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { type ImageReference, parseImage } from './images.ts';

const digest = `sha256:${'a'.repeat(64)}`;

const fullName = ({ registry, repository, tag, digest: hash }: ImageReference): string =>
  `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${hash === undefined ? '' : `@${hash}`}`;

describe('an image name', () => {
  test.each([
    ['busybox', 'docker.io/library/busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['bitnami/redis', 'docker.io/bitnami/redis:latest'],
    ['docker.io/busybox', 'docker.io/library/busybox:latest'],
    ['index.docker.io/library/busybox', 'docker.io/library/busybox:latest'],
    ['quay.io/org/app:v1', 'quay.io/org/app:v1'],
    ['localhost/app', 'localhost/app:latest'],
    ['registry:5000/app', 'registry:5000/app:latest'],
    ['registry.example:5000/a/b/c:x', 'registry.example:5000/a/b/c:x'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    [`app@${digest}`, `docker.io/library/app@${digest}`],
    [`app:v1@${digest}`, `docker.io/library/app:v1@${digest}`],
    ['a__b/c-d.e', 'docker.io/a__b/c-d.e:latest'],
  ])('%s is %s', (text, full) => {
    const parsed = parseImage(text);
    expect(parsed.ok && fullName(parsed.reference)).toBe(full);
  });

  test.each([
    '',
    ' ',
    'Busybox',
    'a//b',
    'a/',
    '/a',
    'a:',
    'a:b:c',
    'a@b',
    `a@${digest}@${digest}`,
    'a b',
    '-a',
    'a..b',
    'http://x/y',
    'a'.repeat(300),
  ])('%j is refused', (text) => {
    expect(parseImage(text)).toMatchObject({ ok: false, error: expect.stringContaining('invalid reference format') });
  });

  test.prop([fc.string({ maxLength: 80 })])('that is accepted means the same after it was completed', (text) => {
    const parsed = parseImage(text);
    if (parsed.ok) expect(parseImage(fullName(parsed.reference))).toEqual(parsed);
  });
});
