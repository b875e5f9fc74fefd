import { gzipSync } from 'node:zlib';
import type { KubeObject, Secret } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { chartOf, inRelease, releaseOf } from './helm-release.ts';
import { objectsOf } from './testing/installations.ts';

const release = { name: 'burst', namespace: 'spillway-system' };
const record = (content: unknown): Secret => {
  const text = gzipSync(JSON.stringify(content)).toString('base64');
  return { data: { release: Buffer.from(text).toString('base64') } };
};

const kept = (object: KubeObject): boolean => object.metadata?.annotations?.['helm.sh/resource-policy'] === 'keep';

describe('what Helm has installed', () => {
  it('stays a part of its release when the command line applies it', () => {
    for (const object of inRelease(objectsOf(), release).filter(({ kind }) => kind !== 'Namespace')) {
      expect(releaseOf(object)).toEqual(release);
      expect(object.metadata?.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'Helm' });
      expect(object.metadata?.labels).toMatchObject({ 'app.kubernetes.io/name': 'spillway' });
    }
  });

  it('keeps the definition of ScheduleProfiles when Helm removes the release', () => {
    const kinds = inRelease(objectsOf(), release)
      .filter(kept)
      .map(({ kind }) => kind);
    expect(kinds).toEqual(['CustomResourceDefinition']);
  });

  it('is told from what it has not', () => {
    expect(objectsOf().map(releaseOf)).toEqual(objectsOf().map(() => undefined));
  });
});

it('the chart of a release is read from its record', () => {
  expect(chartOf(record({ chart: { metadata: { name: 'spillway' } } }))).toBe('spillway');
  expect(chartOf(record({ chart: {} }))).toBeUndefined();
  expect(chartOf({ data: { release: 'bm90aGluZw==' } })).toBeUndefined();
  expect(chartOf({})).toBeUndefined();
});
