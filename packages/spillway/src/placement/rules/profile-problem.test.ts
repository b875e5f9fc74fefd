import { test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { profileProblem } from './profile-problem.ts';
import type { ScheduleProfile } from './schedule-profile.ts';
import { damaged } from '../testing/damaged.ts';
import { generatedPod, generatedProfiles } from '../testing/generate.ts';
import { parseJson } from './admitted.ts';
import { evaluate } from './evaluate.ts';
import { deletionCostOn, nextSide } from '../profiles/side.ts';
import { ProfileBook } from '../profiles/profile-book.ts';

const profile = (spec: unknown): ScheduleProfile =>
  parseJson(JSON.stringify({ metadata: { name: 'p', namespace: 'n' }, spec }));
const good = { objectLabels: { matchLabels: { app: 'web' } }, strategy: 'auto' };

it.each([
  ['no spec', undefined, 'spec: '],
  ['no labels', { ...good, objectLabels: {} }, 'spec.objectLabels.matchLabels: '],
  ['every pod', { ...good, objectLabels: { matchLabels: {} } }, 'spec.objectLabels.matchLabels: must have a label'],
  [
    'a label that is a number',
    { ...good, objectLabels: { matchLabels: { app: 7 } } },
    'spec.objectLabels.matchLabels.app: ',
  ],
  ['a strategy that there is not', { ...good, strategy: 'sometimes' }, 'spec.strategy: '],
  ['a negative number of pods', { ...good, location: { cci: { maxNum: -1 } } }, 'spec.location.cci.maxNum: '],
  ['half a pod', { ...good, location: { local: { maxNum: 0.5 } } }, 'spec.location.local.maxNum: '],
  ['a huge number', { ...good, location: { local: { maxNum: 1e300 } } }, 'spec.location.local.maxNum: '],
  ['a place that is a text', { ...good, location: 'local' }, 'spec.location: '],
  ['a type that is none', { ...good, virtualNodes: [{ type: 7 }] }, 'spec.virtualNodes.0.type: '],
  ['nodes that are no list', { ...good, virtualNodes: 'any' }, 'spec.virtualNodes: '],
])('a profile with %s cannot be followed, and it is said which field that is', (_what, spec, problem) => {
  expect(profileProblem(profile(spec))).toContain(problem);
});

it('a good profile can, unicode and unknown fields included', () => {
  const spec = { ...good, objectLabels: { matchLabels: { 'app.kubernetes.io/name': 'ünï-网络' } }, more: [1] };
  expect(profileProblem(profile(spec))).toBeUndefined();
});

const priorities = [-(2 ** 31), 2 ** 31 - 1, -1, 0, 1];
it.each(priorities)('the scale-down priority %i is a deletion cost that Kubernetes takes', (scaleDownPriority) => {
  const cost = deletionCostOn('cci', { cci: { scaleDownPriority } });
  expect(cost).toBeGreaterThanOrEqual(-(2 ** 31));
  expect(cost).toBeLessThan(2 ** 31);
});

test.prop([generatedProfiles.filter((list) => list.length > 0).chain((list) => damaged(list[0])), generatedPod])(
  'whatever is wrong in a profile: it is told, or it is followed without a failure',
  (some, pod) => {
    const one = parseJson<ScheduleProfile>(JSON.stringify(some) ?? 'null');
    const problem = profileProblem(one);
    if (problem !== undefined) {
      expect(problem).toMatch(/./);
      return;
    }
    const named = { ...one, metadata: { name: 'p', namespace: 'n' } };
    evaluate({ operation: 'CREATE', object: pod }, [named]);
    const book = new ProfileBook();
    book.set(named);
    book.match({ ...pod, metadata: { ...pod.metadata, namespace: 'n' } });
    nextSide(named.spec.strategy, named.spec.location, { local: 3, cci: 3 }, () => true);
  },
);
