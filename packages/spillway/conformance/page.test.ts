import { expect, test } from 'vitest';
import { renderPage } from './page.ts';
import type { KeptRun } from './results.ts';

const head = { kubernetes: '1.37.2', date: '2026-11-29', minutes: 12 };
const result = (name: string, outcome: 'passed' | 'failed' | 'refused', reason = ''): KeptRun['results'][number] => ({
  name,
  outcome,
  seconds: 1,
  reason,
});
const control: KeptRun = {
  ...head,
  target: 'control',
  results: [
    result('[sig-node] A', 'passed'),
    result('[sig-node] B', 'passed'),
    result('[sig-node] C', 'passed'),
    result('[sig-node] D', 'failed', 'expected 2 nodes'),
  ],
};
const cci: KeptRun = {
  ...head,
  target: 'cci',
  results: [
    result('[sig-node] A', 'passed'),
    result('[sig-node] B', 'refused', 'volume-unsupported'),
    result('[sig-node] C', 'failed', 'expected <int>: 1 | 2'),
    result('[sig-node] D', 'failed', 'expected 2 nodes'),
  ],
};
const classes = new Map([
  ['[sig-node] A', 'pod'],
  ['[sig-node] B', 'host'],
] as const);
const page = `# Title

<!-- figures: written by npm run conformance -- --write -->
old
<!-- end of the figures -->

The end.
`;

test('the page shows what the control passed and the others did not, and why; its own text stays', () => {
  const written = renderPage([control, cci], page, classes, 'en');
  expect(written).toMatch(/^# Title\n/);
  expect(written).toMatch(/The end\.\n$/);
  expect(written).not.toContain('old');
  expect(written).toContain('- cci: 1 of 4 tests of Kubernetes 1.37.2 passed, 2026-11-29, 12 minutes');
  expect(written).toContain('| pod | 1 | 1 | 0 |\n| host | 1 | 0 | 1 |\n| new | 1 | 0 | 0 |\n| **all** | 3 | 1 | 1 |');
  expect(written).toContain('| [sig-node] B | refused: [volume-unsupported](not-burstable.md#volume-unsupported) |');
  expect(written).toContain('| [sig-node] C | expected &lt;int>: 1 \\| 2 |');
  expect(written).toContain('- [sig-node] D (failed): expected 2 nodes');
});

test('writing it again changes nothing', () => {
  const once = renderPage([control, cci], page, classes, 'en');
  expect(renderPage([control, cci], once, classes, 'en')).toBe(once);
});
