import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readClasses } from './classes.ts';
import { renderPage } from './page.ts';
import { reasonOf } from './reasons.ts';
import { type KeptRun, missed, parseRun } from './results.ts';
import { pages } from './words.ts';

const read = (...names: string[]): Promise<string> => readFile(path.join(import.meta.dirname, ...names), 'utf8');
const runOf = async (name: string): Promise<KeptRun> => parseRun(await read('results', `${name}.tsv`));

test.for(['kubernetes', 'cci', 'agent'] as const)(
  'whatever does not pass on %s is refused in words or has a reason',
  async (name) => {
    const unexplained = missed(await runOf('control'), await runOf(name)).filter(
      (each) => each.outcome !== 'refused' && reasonOf(name, each.name, 'en') === undefined,
    );
    expect(unexplained).toEqual([]);
  },
);

test.for(['en', 'zh'] as const)('the page shows the results that are kept (%s)', async (language) => {
  const runs = await Promise.all(['control', 'kubernetes', 'cci', 'agent'].map(runOf));
  const page = await read('../../..', pages[language]);
  expect(renderPage(runs, page, await readClasses(), language)).toBe(page);
});
