import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, systemClock } from '@spillway/kube';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { generationsOf, readIntervals } from './files.ts';
import { formatLine, type Interval } from './interval.ts';
import { LedgerWriter } from './ledger-writer.ts';

let dir: string;
let file: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'spillway-ledger-'));
  file = path.join(dir, 'made', 'cci.jsonl');
});
afterEach(() => rm(dir, { recursive: true }));

const interval = (uid: string, end?: string): Interval => ({
  uid,
  accepted: '2026-01-01T09:00:00Z',
  namespace: 'shop',
  name: `pod-of-${uid}`,
  pool: 'cci',
  node: 'vk',
  cpu: '500m',
  memory: '1Gi',
  start: '2026-01-01T09:00:05Z',
  ...(end !== undefined && { end, reason: 'Completed' }),
});

function newWriter(more: { carried?: readonly Interval[]; maxBytes?: number } = {}): LedgerWriter {
  const { carried = [], maxBytes } = more;
  return new LedgerWriter({
    file,
    carried: () => carried,
    sleep: systemClock.sleep,
    logger: silentLogger,
    ...(maxBytes !== undefined && { maxBytes }),
  });
}

const written = async (): Promise<Interval[]> => [...(await readIntervals(generationsOf(file))).values()];

it('of several lines for one instance the last one counts', async () => {
  const writer = newWriter();
  writer.write([interval('a'), interval('b')]);
  writer.write([interval('a', '2026-01-01T10:00:00Z')]);
  await writer.close();
  expect(await written()).toEqual([interval('a', '2026-01-01T10:00:00Z'), interval('b')]);
});

it('a line that was torn when the process was killed is passed over, and the next one is whole', async () => {
  const first = newWriter();
  first.write([interval('a')]);
  await first.close();
  await appendFile(file, formatLine(interval('torn')).slice(0, 60));
  const second = newWriter();
  second.write([interval('b')]);
  await second.close();
  expect(await written()).toEqual([interval('a'), interval('b')]);
});

it('stays within a bound, and keeps what runs for however long', async () => {
  const carried = [interval('runs-for-ever')];
  const writer = newWriter({ carried, maxBytes: 1000 });
  writer.write(carried);
  for (let index = 0; index < 100; index += 1) {
    const each = newWriter({ carried, maxBytes: 1000 });
    each.write([interval(`short-${index}`, '2026-01-01T10:00:00Z')]);
    await each.close();
  }
  await writer.close();
  const files = (await readdir(path.dirname(file))).toSorted();
  expect(files).toEqual(['cci.jsonl', 'cci.jsonl.1', 'cci.jsonl.2', 'cci.jsonl.3']);
  const sizes = await Promise.all(files.map(async (name) => (await stat(path.join(dir, 'made', name))).size));
  expect(Math.max(...sizes)).toBeLessThan(1500);
  const uids = (await written()).map(({ uid }) => uid);
  expect(uids).toContain('runs-for-ever');
  expect(uids).toContain('short-99');
});

it('what could not be written is written when that works again', async () => {
  await writeFile(path.join(dir, 'made'), 'a file where the folder should be');
  const writer = newWriter();
  writer.write([interval('a')]);
  writer.write([interval('b')]);
  await rm(path.join(dir, 'made'));
  await mkdir(path.join(dir, 'made'));
  await writer.close();
  expect(await readFile(file, 'utf8')).toBe(formatLine(interval('a')) + formatLine(interval('b')));
});
