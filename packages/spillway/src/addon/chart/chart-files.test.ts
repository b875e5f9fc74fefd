import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { chartFiles } from './chart-files.ts';

const root = path.join(import.meta.dirname, '../../../../..');
const { version } = JSON.parse(readFileSync(path.join(root, 'packages/spillway/package.json'), 'utf8'));

it.each([...chartFiles(version)])(
  'the chart is up to date: %s (packages/spillway/scripts/generate-chart.ts writes it)',
  (file, text) => {
    expect(readFileSync(path.join(root, 'charts/spillway', file), 'utf8')).toBe(text);
  },
);
