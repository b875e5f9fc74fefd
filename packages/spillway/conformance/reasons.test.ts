import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readClasses } from './classes.ts';
import { renderPage } from './page.ts';
import { reasonOf } from './reasons.ts';
import { type KeptRun, missed, parseRun } from './results.ts';

const read = (...names: string[]): Promise<string> => readFile(path.join(import.meta.dirname, ...names), 'utf8');
const runOf = async (name: string): Promise<KeptRun> => parseRun(await read('results', `${name}.tsv`));

test.for(['kubernetes', 'cci'] as const)(
  'whatever does not pass on %s is refused in words or has a reason',
  async (name) => {
    const unexplained = missed(await runOf('control'), await runOf(name)).filter(
      (each) => each.outcome !== 'refused' && reasonOf(name, each.name) === undefined,
    );
    expect(unexplained).toEqual([]);
  },
);

test('the page shows the results that are kept', async () => {
  const runs = await Promise.all(['control', 'kubernetes', 'cci'].map(runOf));
  const page = await read('../../../docs/conformance.md');
  expect(renderPage(runs, page, await readClasses())).toBe(page);
});
