import { expect, test } from 'vitest';
import { type KeptRun, missed, parseRun, renderRun, tallies } from './results.ts';

const result = (
  name: string,
  outcome: KeptRun['results'][number]['outcome'],
  reason = '',
): KeptRun['results'][number] => ({
  name,
  outcome,
  seconds: 1.5,
  reason,
});
const head = { kubernetes: '1.37.2', date: '2026-11-29', minutes: 12 };
const control: KeptRun = {
  ...head,
  target: 'control',
  results: [
    result('[sig-apps] Job', 'passed'),
    result('[sig-node] A', 'passed'),
    result('[sig-node] B', 'passed'),
    result('[sig-node] C', 'failed', 'one node'),
  ],
};
const other: KeptRun = {
  ...head,
  target: 'cci',
  results: [
    result('[sig-apps] Job', 'passed'),
    result('[sig-node] A', 'refused', 'host-namespace-unsupported'),
    result('[sig-node] B', 'failed', 'timed out'),
    result('[sig-node] C', 'passed'),
  ],
};

test('a run is kept and read as it was', () => {
  expect(parseRun(renderRun(control))).toEqual(control);
  expect(parseRun(renderRun(other))).toEqual(other);
  expect(() => parseRun('cri\t1.37.2\t2026-11-29\t3\n\n')).toThrow('no target');
});

test('only what the control passed counts', () => {
  expect(tallies(control, other)).toEqual([
    { group: 'apps', control: 1, passed: 1, refused: 0 },
    { group: 'node', control: 2, passed: 0, refused: 1 },
  ]);
  expect(missed(control, other).map(({ name }) => name)).toEqual(['[sig-node] A', '[sig-node] B']);
});

test('a test that was not run with the other is no miss', () => {
  const part = { ...other, results: other.results.slice(0, 1) };
  expect(tallies(control, part)).toEqual([{ group: 'apps', control: 1, passed: 1, refused: 0 }]);
  expect(missed(control, part)).toEqual([]);
});
