import { describe, expect, test } from 'vitest';
import { UsageError } from '../src/cli/mistake.ts';
import { parseOptions } from './options.ts';

describe('the options of the conformance tests', () => {
  test('default to all targets and all tests, and keep nothing', () => {
    expect(parseOptions([])).toEqual({
      targets: ['control', 'kubernetes', 'cci', 'agent'],
      sigs: [],
      classes: [],
      focus: undefined,
      procs: 4,
      output: 'text',
      write: false,
    });
  });

  test('name targets, groups and tests', () => {
    const args = ['--target', 'kubernetes,cci', '--sig', 'node,sig-apps', '--focus', 'Probing', '-o', 'json'];
    expect(parseOptions(args)).toMatchObject({
      targets: ['kubernetes', 'cci'],
      sigs: ['node', 'apps'],
      focus: 'Probing',
      output: 'json',
    });
  });

  test.each([
    [['--target', 'cri'], /--target cri: there are control, kubernetes, cci/],
    [['--focus', '('], /--focus \(/],
    [['--procs', '0'], /--procs takes a whole number/],
    [['--write', '--sig', 'node'], /leave out --sig and --focus/],
    [['--class', 'none'], /there are pod, net, host, kubelet, api/],
    [['-o', 'yaml'], /there are text and json/],
    [['--quick'], /--quick/],
  ])('are refused with a sentence: %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});
