import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { inChinese } from '../../../../testkit/pages/field-words.ts';
import { rowsOf } from '../../../podspec/fit/fields.ts';
import { podFields } from './pod-fields.ts';

const docs = new URL('../../../../../../docs/', import.meta.url);

/** `passed` is not listed: it is what one expects. */
function fieldTable(): string {
  const rows = rowsOf(podFields).filter(
    ({ path, rule }) => rule.kind !== 'passed' && !path.startsWith('initContainers.'),
  );
  const lines = rows.map(({ path, rule }) =>
    'code' in rule
      ? `| \`${path}\` | ${rule.kind === 'checked' ? 'some values refused' : 'refused'} | [${rule.code}](not-burstable.md#${rule.code}) |`
      : `| \`${path}\` | ${rule.kind} | |`,
  );
  return ['| field | what becomes of it | why |', '|---|---|---|', ...lines, '| all others | passed | |'].join('\n');
}

const page = (name: string): Promise<string> => readFile(new URL(name, docs), 'utf8');

test('the pages list what becomes of every field', async () => {
  expect(await page('backend-kubernetes.md')).toContain(fieldTable());
  expect(await page('zh/backend-kubernetes.md')).toContain(inChinese(fieldTable()));
});
