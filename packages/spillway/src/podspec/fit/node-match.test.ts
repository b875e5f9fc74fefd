import { describe, expect, it } from 'vitest';
import { realNode, testPod } from '../../placement/testing/objects.ts';
import { matchesAnyTerm, selectsNode, tolerates, untoleratedTaints } from './node-match.ts';

const node = realNode('a', { labels: { disk: 'ssd', cores: '16' } });

const affinity = (values: string[]): object => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'In', values }] }],
    },
  },
});

describe('a node', () => {
  it.each([
    [{ key: 'disk', operator: 'In', values: ['hdd', 'ssd'] }, true],
    [{ key: 'disk', operator: 'In', values: ['hdd'] }, false],
    [{ key: 'zone', operator: 'In', values: ['z1'] }, false],
    [{ key: 'disk', operator: 'NotIn', values: ['hdd'] }, true],
    [{ key: 'disk', operator: 'NotIn', values: ['ssd'] }, false],
    [{ key: 'zone', operator: 'NotIn', values: ['z1'] }, true],
    [{ key: 'disk', operator: 'Exists' }, true],
    [{ key: 'zone', operator: 'Exists' }, false],
    [{ key: 'zone', operator: 'DoesNotExist' }, true],
    [{ key: 'disk', operator: 'DoesNotExist' }, false],
    [{ key: 'cores', operator: 'Gt', values: ['8'] }, true],
    [{ key: 'cores', operator: 'Gt', values: ['16'] }, false],
    [{ key: 'cores', operator: 'Lt', values: ['17'] }, true],
    [{ key: 'disk', operator: 'Lt', values: ['17'] }, false],
  ])('meets the requirement %j: %s', (requirement, expected) => {
    expect(matchesAnyTerm([{ matchExpressions: [requirement] }], node)).toBe(expected);
  });

  it('can be named, needs one term of several, and nothing matches an empty term', () => {
    const named = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] };
    expect(matchesAnyTerm([named], node)).toBe(true);
    expect(matchesAnyTerm([{}, named], node)).toBe(true);
    expect(matchesAnyTerm([{}], node)).toBe(false);
  });

  it('must meet the selector and the affinity', () => {
    expect(selectsNode(testPod(), node)).toBe(true);
    expect(selectsNode(testPod({ spec: { nodeSelector: { disk: 'ssd' }, affinity: affinity(['ssd']) } }), node)).toBe(
      true,
    );
    expect(selectsNode(testPod({ spec: { nodeSelector: { disk: 'hdd' } } }), node)).toBe(false);
    expect(selectsNode(testPod({ spec: { nodeSelector: { disk: 'ssd' }, affinity: affinity(['hdd']) } }), node)).toBe(
      false,
    );
  });
});

describe('a toleration', () => {
  const taint = { key: 'k', value: 'v', effect: 'NoSchedule' };
  it.each([
    [{ operator: 'Exists' }, true],
    [{ key: 'k', operator: 'Exists' }, true],
    [{ key: 'k', operator: 'Exists', effect: 'NoExecute' }, false],
    [{ key: 'k', value: 'v' }, true],
    [{ key: 'k', operator: 'Equal', value: 'other' }, false],
    [{ key: 'other', operator: 'Exists' }, false],
  ])('%j against k=v:NoSchedule: %s', (toleration, expected) => {
    expect(tolerates(toleration, taint)).toBe(expected);
  });

  it('is not needed for a taint that only prefers', () => {
    expect(untoleratedTaints([], [{ ...taint, effect: 'PreferNoSchedule' }])).toEqual([]);
    expect(untoleratedTaints([], [taint])).toEqual([taint]);
  });
});
