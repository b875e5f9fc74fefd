import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { expand, expandParts } from './expansion.ts';

const values = new Map([
  ['VAR_A', 'A'],
  ['VAR_B', 'B'],
  ['VAR_C', 'C'],
  ['VAR_REF', '$(VAR_A)'],
  ['VAR_EMPTY', ''],
]);
const lookup = (name: string): string | undefined => values.get(name);

describe('a reference', () => {
  // The table of Kubernetes' own test, third_party/forked/golang/expansion/expand_test.go.
  test.each([
    ['$(VAR_A)', 'A'],
    ['$(VAR_A)-$(VAR_A)', 'A-A'],
    ['$(VAR_A)-1', 'A-1'],
    ['___$(VAR_B)___', '___B___'],
    ['___$(VAR_C)', '___C'],
    ['$(VAR_A)_$(VAR_B)_$(VAR_C)', 'A_B_C'],
    ['$$(VAR_B)_$(VAR_A)', '$(VAR_B)_A'],
    ['$$(VAR_A)_$$(VAR_B)', '$(VAR_A)_$(VAR_B)'],
    ['f000-$$VAR_A', 'f000-$VAR_A'],
    ['foo\\$(VAR_C)bar', 'foo\\Cbar'],
    ['foo\\\\$(VAR_C)bar', 'foo\\\\Cbar'],
    ['foo\\\\\\\\$(VAR_A)bar', 'foo\\\\\\\\Abar'],
    ['$(VAR_A$(VAR_B))', '$(VAR_A$(VAR_B))'],
    ['$(VAR_A$(VAR_B)', '$(VAR_A$(VAR_B)'],
    ['$(VAR_REF)', '$(VAR_A)'],
    ['%%$(VAR_REF)--$(VAR_REF)%%', '%%$(VAR_A)--$(VAR_A)%%'],
    ['foo$(VAR_EMPTY)bar', 'foobar'],
    ['foo$(VAR_Awhoops!', 'foo$(VAR_Awhoops!'],
    ['f00__(VAR_A)__', 'f00__(VAR_A)__'],
    ['$?_boo_$!', '$?_boo_$!'],
    ['$VAR_A', '$VAR_A'],
    ['$(VAR_DNE)', '$(VAR_DNE)'],
    ['$$$$$$(BIG_MONEY)', '$$$(BIG_MONEY)'],
    ['$$$$$$(VAR_A)', '$$$(VAR_A)'],
    ['$$$$$$$(GOOD_ODDS)', '$$$$(GOOD_ODDS)'],
    ['$$$$$$$(VAR_A)', '$$$A'],
    ['$VAR_A)', '$VAR_A)'],
    ['${VAR_A}', '${VAR_A}'],
    ['$(VAR_B)_______$(A', 'B_______$(A'],
    ['$(VAR_C)_______$(', 'C_______$('],
    ['$(VAR_A)foobarzab$', 'Afoobarzab$'],
    ['foo-\\$(VAR_A', 'foo-\\$(VAR_A'],
    ['--$($($($($--', '--$($($($($--'],
    ['$($($($($--foo$(', '$($($($($--foo$('],
    ['foo0--$($($($(', 'foo0--$($($($('],
    ['$(foo$$var)', '$(foo$$var)'],
    ['\n', '\n'],
    ['$£FOO', '$£FOO'],
    ['prefix-$€-suffix', 'prefix-$€-suffix'],
    ['$中文', '$中文'],
    ['$\u{1f600}x', '$\u{1f600}x'],
    ['', ''],
  ])('%j becomes %j', (input, expected) => {
    expect(expand(input, lookup)).toBe(expected);
  });

  test.prop([fc.string({ unit: fc.constantFrom('a', 'b', '(', ')', ' ', '€') })])(
    'text without $ stays as it is',
    (text) => {
      expect(expand(text, lookup)).toBe(text);
    },
  );

  test.prop([fc.array(fc.constantFrom('$$', 'x', '(VAR_A)', ' '))])(
    '$$ is one $, and what follows it is text',
    (pieces) => {
      expect(expand(pieces.join(''), lookup)).toBe(pieces.join('').replaceAll('$$', '$'));
    },
  );

  test('to something that is not text yet keeps its place among the text', () => {
    const later = { later: true };
    const parts = expandParts('a-$(L)$(L)-$(VAR_A)$$-$(NO)', (name) => {
      if (name === 'L') return [later];
      const value = lookup(name);
      return value === undefined ? undefined : [value];
    });
    expect(parts).toEqual(['a-', later, later, '-A$-$(NO)']);
  });
});
