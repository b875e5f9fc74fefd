import { describe, expect, test } from 'vitest';
import { replaceImage, replaceImages, replacementProblems } from './image-replacement.ts';

const swr = 'swr.cn-north-4.myhuaweicloud.com/org';
const rules = [
  { repositoryPrefix: 'harbor.domain/a/b/c/d', replaceWith: swr },
  { repositoryPrefix: '', replaceWith: `${swr}/hub` },
];

describe('a replacement', () => {
  test.each([
    ['harbor.domain/a/b/c/d/ubuntu:latest', `${swr}/ubuntu:latest`],
    ['harbor.domain/a/b/c/d/ubuntu@sha256:0123', `${swr}/ubuntu@sha256:0123`],
    ['nginx:alpine', `${swr}/hub/nginx:alpine`],
    ['harbor.domain/a/b/c/ubuntu', 'harbor.domain/a/b/c/ubuntu'],
    ['harbor.domain/a/b/c/d/e/ubuntu', 'harbor.domain/a/b/c/d/e/ubuntu'],
    ['library/nginx', 'library/nginx'],
  ])('%s becomes %s', (image, expected) => {
    expect(replaceImage(image, rules)).toBe(expected);
    expect(replaceImage(image, rules.toReversed())).toBe(expected);
  });

  test('is made in containers and init containers; a pod without one stays the same', () => {
    const spec = { containers: [{ name: 'a', image: 'nginx' }], initContainers: [{ name: 'b', image: 'busybox' }] };
    expect(replaceImages(spec, rules)).toEqual({
      containers: [{ name: 'a', image: `${swr}/hub/nginx` }],
      initContainers: [{ name: 'b', image: `${swr}/hub/busybox` }],
    });
    expect(replaceImages(spec, [])).toBe(spec);
  });
});

test('rules that contradict each other or end with a slash are named', () => {
  const problems = replacementProblems([
    { repositoryPrefix: 'a/b', replaceWith: 'c' },
    { repositoryPrefix: 'a/b', replaceWith: 'd' },
    { repositoryPrefix: 'e/', replaceWith: 'f/' },
    { repositoryPrefix: 'g', replaceWith: 'g' },
    { repositoryPrefix: '', replaceWith: '' },
  ]);
  expect(problems.map(({ index, field, message }) => `${index}.${field} ${message}`)).toEqual([
    '1.repositoryPrefix "a/b" is already replaced by rule 0',
    '2.repositoryPrefix must not end with "/"',
    '2.replaceWith must not end with "/"',
    '3.replaceWith is what it replaces',
    '4.replaceWith must name a registry, for example swr.cn-north-4.myhuaweicloud.com/org',
  ]);
  expect(replacementProblems(rules)).toEqual([]);
});
