import { describe, expect, test } from 'vitest';
import { UsageError } from '../src/cli/mistake.ts';
import { parseOptions, usage } from './options.ts';
import { scenarios } from './scenarios/scenarios.ts';

describe('the options of the benchmark', () => {
  test('default to three rounds of lifecycles with its own sizes for everybody', () => {
    const options = parseOptions([]);
    expect(options.scenarios.map(({ name }) => name)).toEqual(['lifecycle']);
    expect(options).toMatchObject({
      pods: undefined,
      rounds: 3,
      only: ['spillway', 'bare', 'kwok', 'virtual-kubelet'],
    });
  });

  test('name scenarios, sizes, rounds, systems and a file', () => {
    const args = [
      '--scenario',
      'enforce,overflow',
      '--pods',
      '200,300',
      '--rounds',
      '1',
      '--only',
      'kwok',
      '--json',
      'a.json',
    ];
    const options = parseOptions(args);
    expect(options).toMatchObject({ pods: [200, 300], rounds: 1, only: ['kwok'], json: 'a.json' });
    expect(options.scenarios.map(({ name }) => name)).toEqual(['overflow', 'enforce']);
  });

  test('all is every scenario, and the help has a line for each', () => {
    expect(parseOptions(['--scenario', 'all']).scenarios).toEqual(scenarios);
    for (const { name, about } of scenarios) expect(usage).toMatch(new RegExp(`^ +${name} +${about}`, 'm'));
  });

  test('earlier results are shown again, as tables and as plots', () => {
    expect(parseOptions(['--from', 'a.json,b.json', '--plots', 'img'])).toMatchObject({
      from: ['a.json', 'b.json'],
      plots: 'img',
    });
  });

  test.each([
    [['--scenario', 'sleep'], /--scenario sleep: there are lifecycle, /],
    [['--pods', '0'], /--pods takes a whole number/],
    [['--pods', '1000,'], /--pods takes a whole number/],
    [['--rounds', 'many'], /--rounds takes a whole number/],
    [['--only', 'vk'], /--only vk: there are spillway, bare, kwok/],
    [['--quick'], /--quick/],
  ])('are refused with a sentence: %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});
