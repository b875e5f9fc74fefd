import { test } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReview, renderReview } from '../admission/admission-review.ts';
import { advise } from '../admission/advise.ts';
import { forgiving } from '../admission/forgiving.ts';
import { mutate } from '../admission/mutate.ts';
import { backendSchema } from '../config/backends.ts';
import { ManifestError, parseManifest } from '../diagnosis/plan/manifest.ts';
import { planOf } from '../diagnosis/plan/plan.ts';
import type { ScheduleProfile } from '../placement/rules/schedule-profile.ts';
import { damaged } from '../placement/testing/damaged.ts';
import { generatedPod, generatedProfiles, generatedWorkload } from '../placement/testing/generate.ts';
import { burstTaint } from '../podspec/contract.ts';
import { type AskPools, fitOf } from '../podspec/fit/fit.ts';
import { ruleSetNames } from '../podspec/sizing/rule-sets.ts';
import { supportOf } from './backends.ts';

const configs = [
  backendSchema.parse({ type: 'simulated' }),
  backendSchema.parse({ type: 'kubernetes', kubeconfig: '/x' }),
];
const pools = configs.flatMap((backend) =>
  ruleSetNames.map((sizing) => ({
    name: `${backend.type}-${sizing}`,
    nodeName: 'vk',
    taints: [burstTaint],
    sizing,
    support: supportOf(backend),
  })),
);
const ask: AskPools = (pod) => pools.map((pool) => ({ pool, fit: fitOf(pod, pool) }));
const answers = {
  mutate: (profiles: readonly ScheduleProfile[]) => forgiving((request) => mutate(request, () => profiles, ask)),
  advise: forgiving((request) => advise(request, ask)),
};

const enforced = (cpu: unknown, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', labels: { 'virtual-kubelet.io/burst-to-cci': 'enforce', app: 'ünï-网络' } },
  spec: {
    containers: [{ name: '容器', image: 'registry/ünï@sha256:x', resources: { requests: { cpu } } }],
    initContainers: [{ name: 'init', image: '' }],
    volumes: [
      { name: 'v', configMap: { name: 'c' } },
      { name: 'w', hostPath: { path: '/' } },
    ],
    ...more,
  },
});
const object = fc.oneof(generatedPod, generatedWorkload, fc.constant(enforced('1')));
const bad = object.chain(damaged);
const operation = fc.constantFrom('CREATE', 'UPDATE', 'DELETE', 'CONNECT');

/** Each answer is one, or says what is wrong with the question. */
function isAnswered(question: object): void {
  const text = JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    request: { uid: '1', namespace: 'n', ...question },
  });
  for (const answer of [answers.mutate([]), answers.advise]) {
    try {
      const request = parseReview(text);
      expect(JSON.parse(renderReview(request, answer(request)))).toMatchObject({ kind: 'AdmissionReview' });
    } catch (error) {
      expect(error).toBeInstanceOf(SyntaxError);
      expect(String(error)).toMatch(/the (old)?[oO]bject of the AdmissionReview|no AdmissionReview/);
    }
  }
}

describe('whatever is sent to admission', () => {
  test.prop([operation, bad, bad])('is answered, or the field is named that is wrong', (does, one, before) => {
    isAnswered({ operation: does, object: one, oldObject: before });
  });

  test.prop([generatedPod, generatedProfiles])('good objects are never refused for their form', (pod, profiles) => {
    const request = { uid: '1', operation: 'CREATE', namespace: 'n', object: pod, oldObject: undefined };
    expect(() => answers.mutate(profiles)(request)).not.toThrow();
  });

  it.each(['1e400', '-1', String(2n ** 63n), String(-(2n ** 63n)), '½', '', 7, null, {}, []])(
    'with %j CPUs: answered',
    (cpu) => {
      isAnswered({ operation: 'CREATE', object: enforced(cpu) });
    },
  );

  it('of a hundred containers: answered', () => {
    const containers = Array.from({ length: 100 }, (_, index) => ({ name: `网络-${index}`, image: 'ü' }));
    isAnswered({ operation: 'CREATE', object: enforced('1', { containers }) });
  });
});

/** Any; without the table of all of them that fast-check makes for its own. */
const character = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

/** YAML is JSON, so the same objects are manifests. */
function isPlanned(text: string): void {
  try {
    const plan = planOf({ objects: parseManifest(text, 'bad.yaml'), pools, remarks: [] });
    expect(plan.workloads.length + plan.notConcerned.length).toBeGreaterThanOrEqual(0);
  } catch (error) {
    expect(error).toBeInstanceOf(ManifestError);
    expect(String(error)).toMatch(/^ManifestError: bad\.yaml:\d+: /);
  }
}

describe('whatever is in a manifest', () => {
  test.prop([bad])('is planned, or the line is named that is wrong', (one) => {
    isPlanned(JSON.stringify(one, undefined, 1));
  });

  test.prop([object, fc.nat()])('also one that ends in the middle', (one, at) => {
    const text = JSON.stringify(one, undefined, 1);
    isPlanned(text.slice(0, at % text.length));
  });

  test.prop([fc.string({ unit: character, maxLength: 200 })])('also no manifest at all', isPlanned);

  it.each([
    ['lists in lists', '['.repeat(20_000)],
    ['lists that end', '['.repeat(20_000) + ']'.repeat(20_000)],
    ['maps in maps', Array.from({ length: 3000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
    [
      'a Pod with deep annotations',
      `{apiVersion: v1, kind: Pod, metadata: ${'{a: '.repeat(10_000)}1${'}'.repeat(10_000)}}`,
    ],
    [
      'aliases of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
        .split('')
        .map((name, i) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefghij'[i]}`).join()}]`)
        .join('\n')}\n`,
    ],
  ])('%s are refused with a sentence', (_what, text) => {
    expect(() => parseManifest(text, 'bad.yaml')).toThrow(ManifestError);
  });
});
