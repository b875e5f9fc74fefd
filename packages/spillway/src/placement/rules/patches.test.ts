import { expect, test } from 'vitest';
import { patchesOf } from './patches.ts';
import { podRules, type Rule } from './rules.ts';

test('what different labels ask for is one patch, and the time limits of tolerations are lifted in a second one', () => {
  const names = patchesOf(podRules.rules).map((steps) =>
    steps.map(({ rule, action }) => `${rule.name} ${action.type}`),
  );
  expect(names).toEqual([
    [
      'localPrefer annotate',
      'enforce selectNode',
      'enforce tolerate',
      'enforce useScheduler',
      'off avoidNodes',
      'guard avoidNodes',
    ],
    ['outlast-node-failure outlast'],
  ]);
});

const tolerating = (name: string, key: string): Rule => ({
  name,
  when: [{ type: 'burst', values: ['auto', 'enforce'] }],
  actions: [{ type: 'tolerate', taints: [{ key, effect: 'NoSchedule' }] }],
});

test('two rules that one pod can be under do not write the same field in one patch', () => {
  expect(patchesOf([tolerating('one', 'a'), tolerating('other', 'b')])).toHaveLength(2);
});
