import { describe, expect, test } from 'vitest';
import { parseYaml, YamlError } from './yaml.ts';

function mistakesIn(text: string): readonly string[] {
  try {
    parseYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return error.mistakes.map(({ line, column, message }) => `${line}:${column}: ${message}`);
  }
  return [];
}

const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
  .concat(['b a', 'c b', 'd c', 'e d'].map((pair) => pair.replace(/(.) (.)/, `$1: &$1 [${'*$2, '.repeat(9)}]`)))
  .join('\n');

describe('YAML', () => {
  test('may be several documents, with what is in them at its place', () => {
    const [first, second] = parseYaml('a: 1\n---\nb:\n  - c: &x {d: 1}\n  - *x\n');
    expect([first?.value, second?.value]).toEqual([{ a: 1 }, { b: [{ c: { d: 1 } }, { d: 1 }] }]);
    expect(second?.placeOf(['b', 0, 'c'])).toEqual({ line: 4, column: 11 });
    expect(second?.placeOf(['b', 0], 'c')).toEqual({ line: 4, column: 5 });
    expect(second?.placeOf(['b', 0, 'missing', 'more'])).toEqual({ line: 4, column: 5 });
  });

  test.each(['', '# nothing', '---\n'])('may be empty: %j', (text) => {
    expect(parseYaml(text).flatMap(({ value }) => value ?? [])).toEqual([]);
  });

  test.each([
    ['a: [', /^1:5: not valid YAML: /],
    ['a: 1\na: 2', /^2:1: not valid YAML: Map keys must be unique/],
    ['a: 1\nb: *c', /^2:4: not valid YAML: the alias \*c has no anchor &c before it$/],
    ['a: &a [*a]', /^1:8: not valid YAML: the alias \*a stands for something that contains it$/],
    [bomb, /^1:1: not usable: its aliases \(\*name\) stand for too much: write out what they repeat$/],
    ['['.repeat(100_000), /^1:\d+: not usable: it is nested too deeply$/],
  ])('that cannot be used is refused with its place: %#', (text, expected) => {
    expect(mistakesIn(text)[0]).toMatch(expected);
  });
});
