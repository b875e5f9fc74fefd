import { expect, it } from 'vitest';
import { type Settings, variantOf } from './variants.ts';

type Feature = 'a' | 'b';
const all = { a: true, b: true };
const features: readonly Feature[] = ['a', 'b'];
const of = (valueOf: (settings: Settings<Feature>) => unknown): unknown => variantOf(valueOf, features, all);
const scalar = (value: unknown): object => ({ kind: 'scalar', value });

it('what does not depend on anything is the value itself', () => {
  expect(of(() => 1)).toEqual(scalar(1));
});

it('parts that are left out say what they need', () => {
  expect(of(({ a, b }) => ({ x: 1, ...(a && { y: 2 }), ...(a && b && { z: 3 }) }))).toEqual({
    kind: 'map',
    entries: [
      ['x', { needs: [], value: scalar(1) }],
      ['y', { needs: ['a'], value: scalar(2) }],
      ['z', { needs: ['a', 'b'], value: scalar(3) }],
    ],
  });
  expect(of(({ a }) => [1, ...(a ? [2] : []), 3])).toEqual({
    kind: 'list',
    items: [
      { needs: [], value: scalar(1) },
      { needs: ['a'], value: scalar(2) },
      { needs: [], value: scalar(3) },
    ],
  });
});

it('what is another value is a choice, also between choices', () => {
  expect(of(({ a, b }) => (a ? 'on' : b ? 'other' : 'off'))).toEqual({
    kind: 'choice',
    feature: 'a',
    on: scalar('on'),
    off: { kind: 'choice', feature: 'b', on: scalar('other'), off: scalar('off') },
  });
});

it('what is changed is told from what is left out next to it', () => {
  const value = of(({ a, b }) => [0, a ? 'on' : 'off', 1, ...(b ? [2] : [])]);
  expect(value).toEqual({
    kind: 'list',
    items: [
      { needs: [], value: scalar(0) },
      { needs: [], value: { kind: 'choice', feature: 'a', on: scalar('on'), off: scalar('off') } },
      { needs: [], value: scalar(1) },
      { needs: ['b'], value: scalar(2) },
    ],
  });
});
