import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { sizeInShort, specOf } from '../testing/sized-specs.ts';
import { ruleSetNames } from './rule-sets.ts';

interface Example {
  readonly written: string;
  readonly result: string;
}

/** The rows `| written | pod | containers | …` below the heading of each rule set. */
async function examples(page: string): Promise<ReadonlyMap<string, readonly Example[]>> {
  const text = await readFile(new URL(`../../../../../docs/${page}`, import.meta.url), 'utf8');
  return new Map(
    ruleSetNames.map((name) => {
      const section = text.split(`\n## \`${name}\`\n`)[1]?.split('\n## ')[0] ?? '';
      const rows = section.matchAll(/^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|/gm);
      return [name, Array.from(rows, ([, written = '', pod, rest]) => ({ written, result: `${pod}: ${rest}` }))];
    }),
  );
}

const pages = ['sizing.md', 'zh/sizing.md'];

describe.each(pages)('docs/%s', (page) => {
  it('has examples of every rule set, and each is what a pod gets', async () => {
    for (const [name, rows] of await examples(page)) {
      expect(rows.length, name).toBeGreaterThan(1);
      const rules = ruleSetNames.find((known) => known === name) ?? 'none';
      expect(rows.map(({ written }) => ({ written, result: sizeInShort(specOf(written), rules) }))).toEqual(rows);
    }
  });
});

it('both pages have the same examples', async () => {
  const [english, chinese] = await Promise.all(pages.map(examples));
  expect(chinese).toEqual(english);
});
