import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManifestError, parseManifest } from './manifest.ts';
import { planOf } from './plan.ts';

function refusal(text: string): readonly string[] {
  try {
    planOf({ objects: parseManifest(text, 'web.yaml'), pools: [], remarks: [] });
    return [];
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error.message.split('\n');
  }
}

const pod = (spec: string): string => `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: ${spec}\n`;

test.each([
  ['just text', 'web.yaml:1: must be a mapping, but is "just text"'],
  ['kind: Pod', 'web.yaml:1: apiVersion: is missing: an object needs apiVersion and kind'],
  [pod('{}'), 'web.yaml:4: spec.containers: is required: a list'],
  [pod('{containers: web}'), 'web.yaml:4: spec.containers: must be a list, but is "web"'],
  [pod('{containers: [web]}'), 'web.yaml:4: spec.containers.0: must be a mapping, but is "web"'],
  [
    pod('{containers: [], nodeSelector: {a: off}}'),
    'web.yaml:4: spec.nodeSelector.a: must be text in quotes, but is false',
  ],
  ['a: *b', 'web.yaml:1: not valid YAML: the alias *b has no anchor &b before it'],
])('%j is refused with where and what', (text, expected) => {
  expect(refusal(text)).toContain(expected);
});

test('any text is a manifest, or is refused with its line and in plain words', () => {
  const key = fc.constantFrom(
    'spec',
    'template',
    'metadata',
    'labels',
    'containers',
    'resources',
    'requests',
    'cpu',
    'items',
    'replicas',
    'affinity',
    'nodeAffinity',
    'env',
    'tolerations',
    '__proto__',
  );
  const scalar = fc.constantFrom('', '1', '-1', 'off', 'a', '*a', '&a b', '2026-01-01', '1e400', '!!binary eA==');
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      scalar,
      fc.array(tie('tree'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
      fc
        .uniqueArray(fc.tuple(key, tie('tree')), { maxLength: 4, selector: ([name]) => name })
        .map((pairs) => `{${pairs.map(([name, value]) => `${name}: ${value}`).join(', ')}}`),
    ),
  }));
  const kind = fc.constantFrom('Pod', 'List', 'DaemonSet', 'Deployment', 'CronJob', 'Job', 'Service');
  const object = fc
    .tuple(kind, tree, tree)
    .map(
      ([name, spec, metadata]) =>
        `{apiVersion: ${/Set|Deploy/.test(name) ? 'apps/v1' : /Job/.test(name) ? 'batch/v1' : 'v1'}, kind: ${name}, spec: ${spec}, metadata: ${metadata}}`,
    );
  fc.assert(
    fc.property(fc.oneof(object, tree, fc.string()), (text) => {
      for (const each of refusal(text)) {
        expect(each).toMatch(/^web\.yaml:[1-9]\d*: /);
        expect(each).not.toMatch(/Invalid input|expected .* received|undefined|\[object/);
      }
    }),
    { numRuns: 300 },
  );
});
