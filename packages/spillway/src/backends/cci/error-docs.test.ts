import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { codeTable } from './error-docs.ts';

test('every code is explained in docs/cci.md', async () => {
  const docs = await readFile(new URL('../../../../../docs/cci.md', import.meta.url), 'utf8');
  expect(docs).toContain(codeTable());
});
