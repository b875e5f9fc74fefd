import { describe, expect, test } from 'vitest';
import { UsageError } from '../src/cli/mistake.ts';
import { parseOptions } from './options.ts';

describe('the options of the benchmark', () => {
  test('default to three rounds of 1,000 and 5,000 pods on both systems', () => {
    expect(parseOptions([])).toEqual({
      scenario: 'lifecycle',
      pods: [1000, 5000],
      rounds: 3,
      only: ['spillway', 'kwok'],
      json: undefined,
      profile: undefined,
    });
  });

  test('name sizes, rounds, one system and a file', () => {
    const args = ['--pods', '200,300', '--rounds', '1', '--only', 'kwok', '--json', 'a.json'];
    expect(parseOptions(args)).toMatchObject({ pods: [200, 300], rounds: 1, only: ['kwok'], json: 'a.json' });
  });

  test('place 1,000 pods in the scenario placement', () => {
    expect(parseOptions(['--scenario', 'placement'])).toMatchObject({ scenario: 'placement', pods: [1000] });
  });

  test.each([
    [['--scenario', 'sleep'], /--scenario sleep: there are lifecycle and placement/],
    [['--pods', '0'], /--pods takes a whole number/],
    [['--pods', '1000,'], /--pods takes a whole number/],
    [['--rounds', 'many'], /--rounds takes a whole number/],
    [['--only', 'vk'], /--only vk: there are spillway and kwok/],
    [['--quick'], /--quick/],
  ])('are refused with a sentence: %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});
