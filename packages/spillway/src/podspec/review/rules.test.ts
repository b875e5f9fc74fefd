import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { refusal } from './refusal.ts';
import { reviewRules } from './rules.ts';

/** The text below each heading of a code. */
async function sections(page: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(new URL(`../../../../../docs/${page}`, import.meta.url), 'utf8');
  const [, ...parts] = text.replaceAll(/^## .*$/gm, '').split(/^### /m);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n')).trim()]));
}

describe('docs/not-burstable.md', () => {
  it('explains every code, with cause and remedy in the words of the program', async () => {
    const expected = Object.entries(reviewRules).map(([code, { message, remedy }]) => {
      const [first = '', ...rest] = message;
      return [code, `${first.toUpperCase()}${rest.join('')}.\n\n*Remedy:* ${remedy}`];
    });
    expect([...(await sections('not-burstable.md'))]).toEqual(expected);
  });

  it('is where a refusal leads', async () => {
    const [page = '', anchor = ''] = refusal('did-not-ask', 'spec.tolerations').documentation.split('#');
    expect((await sections(page)).has(anchor)).toBe(true);
  });
});

it('what is special about a pod follows the sentence', () => {
  expect(refusal('cpu-too-large', 'spec.containers', '33').message).toBe(
    'the pod needs more CPU than the largest pod of the pool has: 33',
  );
});
