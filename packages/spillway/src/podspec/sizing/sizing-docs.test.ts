import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { sizeInShort, specOf } from '../testing/sized-specs.ts';
import { ruleSetNames } from './rule-sets.ts';

interface Example {
  readonly written: string;
  readonly result: string;
}

/** The rows `| written | pod | containers | …` below the heading of each rule set. */
async function examples(): Promise<ReadonlyMap<string, readonly Example[]>> {
  const text = await readFile(new URL('../../../../../docs/sizing.md', import.meta.url), 'utf8');
  return new Map(
    ruleSetNames.map((name) => {
      const section = text.split(`\n## \`${name}\`\n`)[1]?.split('\n## ')[0] ?? '';
      const rows = section.matchAll(/^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|/gm);
      return [name, Array.from(rows, ([, written = '', pod, rest]) => ({ written, result: `${pod}: ${rest}` }))];
    }),
  );
}

it('docs/sizing.md has examples of every rule set, and each is what a pod gets', async () => {
  for (const [name, rows] of await examples()) {
    expect(rows.length, name).toBeGreaterThan(1);
    const rules = ruleSetNames.find((known) => known === name) ?? 'none';
    expect(rows.map(({ written }) => ({ written, result: sizeInShort(specOf(written), rules) }))).toEqual(rows);
  }
});
