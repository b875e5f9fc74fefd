import { expect, it } from 'vitest';
import { taintText, untolerated } from './tolerations.ts';

const taint = { key: 'a', value: 'b', effect: 'NoSchedule' };

it.each([
  [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule' }, true],
  [{ key: 'a', value: 'b' }, true],
  [{ key: 'a', operator: 'Exists' }, true],
  [{ operator: 'Exists' }, true],
  [{ key: 'a', value: 'c' }, false],
  [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }, false],
  [{ value: 'b' }, false],
  [{ key: 'c', operator: 'Exists' }, false],
])('a pod with %j may come: %s', (toleration, may) => {
  expect(untolerated([taint], [toleration])).toEqual(may ? [] : [taint]);
});

it('a preference keeps nobody away', () => {
  expect(untolerated([{ key: 'a', effect: 'PreferNoSchedule' }], [])).toEqual([]);
});

it('a taint is written as kubectl writes it', () => {
  expect(taintText(taint)).toBe('a=b:NoSchedule');
  expect(taintText({ key: 'a', effect: 'NoExecute' })).toBe('a:NoExecute');
});
