import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { annotationsOf, cciAnnotations } from './annotations.ts';

const v1 = (key: string): boolean => annotationsOf('v1').has(key);
const v2 = (key: string): boolean => annotationsOf('v2').has(key);

test('annotations that CCI knows go there, and only where it knows them', () => {
  expect([v1('yangtse.io/pod-with-eip'), v2('yangtse.io/pod-with-eip')]).toEqual([true, true]);
  expect([v1('kubernetes.io/egress-bandwidth'), v2('kubernetes.io/egress-bandwidth')]).toEqual([true, true]);
  expect([v1('resource.cci.io/pod-size-specs'), v2('resource.cci.io/pod-size-specs')]).toEqual([false, true]);
  for (const key of ['team', 'prometheus.io/scrape', 'yangtse.io/other', 'constructor']) {
    expect([key, v1(key), v2(key)]).toEqual([key, false, false]);
  }
});

test('docs/cci.md lists them', async () => {
  const docs = await readFile(new URL('../../../../../docs/cci.md', import.meta.url), 'utf8');
  const rows = cciAnnotations.map(({ about, versions, keys }) => {
    const generations = versions.map((version) => (version === 'v1' ? '1.0' : '2.0')).join(', ');
    return `| ${about} | ${generations} | ${keys.map((key) => `\`${key}\``).join(', ')} |`;
  });
  expect(docs).toContain(['| about | CCI | annotations |', '|---|---|---|', ...rows].join('\n'));
});
