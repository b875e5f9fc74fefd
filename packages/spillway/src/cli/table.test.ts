import { expect, it } from 'vitest';
import { fields, table } from './table.ts';

it('columns stand under their headings, whatever their colours', () => {
  const red = '\u001B[31mlong text\u001B[39m';
  expect(
    table(
      ['A', 'B'],
      [
        ['1', red],
        ['22', 'x'],
      ],
    ),
  ).toBe(`A    B\n1    ${red}\n22   x\n`);
});

it('texts of several lines stay in their column', () => {
  expect(
    fields([
      ['Pod', 'web'],
      ['Remedy', 'wait\nor ask'],
    ]),
  ).toBe('Pod:    web\nRemedy: wait\n        or ask\n');
});
