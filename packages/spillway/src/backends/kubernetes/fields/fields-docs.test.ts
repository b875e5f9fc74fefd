import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
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

test.for(['backend-kubernetes.md', 'zh/backend-kubernetes.md'])(
  '%s lists what becomes of every field',
  async (name) => {
    expect(await readFile(new URL(name, docs), 'utf8')).toContain(fieldTable());
  },
);
