import {
  appendFile,
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, systemClock } from '@spillway/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { generationsOf, readIntervals } from './files.ts';
import { formatLine, type Interval } from './interval.ts';
import { LedgerWriter, type LedgerWriterOptions } from './ledger-writer.ts';

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

function newWriter(more: Partial<LedgerWriterOptions> = {}): LedgerWriter {
  return new LedgerWriter({ file, carried: () => [], sleep: systemClock.sleep, logger: silentLogger, ...more });
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

it('what it says to have written is on the disk, also when the machine fails a moment later', async () => {
  const probe = await open(path.join(dir, 'probe'), 'w');
  await probe.close();
  const handles: FileHandle = Object.getPrototypeOf(probe);
  const sync = vi.spyOn(handles, 'datasync');
  try {
    const writer = newWriter();
    writer.write([interval('a')]);
    await writer.close();
    expect(sync).toHaveBeenCalledOnce();
  } finally {
    sync.mockRestore();
  }
});

it('what comes within half a second of a write is written together', async () => {
  const results: string[] = [];
  const paused = Promise.withResolvers<void>();
  const gathered = Promise.withResolvers<void>();
  const sleep = async (ms: number): Promise<void> => {
    expect(ms).toBe(500);
    paused.resolve();
    await gathered.promise;
  };
  const writer = newWriter({ sleep, onWritten: (result) => results.push(result) });
  writer.write([interval('a')]);
  await paused.promise;
  writer.write([interval('b')]);
  writer.write([interval('c')]);
  expect(await written()).toEqual([interval('a')]);
  gathered.resolve();
  await writer.close();
  expect(results).toEqual(['ok', 'ok']);
  expect(await written()).toEqual([interval('a'), interval('b'), interval('c')]);
});

it('stays within a bound, and keeps what runs for however long', async () => {
  const carried = [interval('runs-for-ever')];
  const writer = newWriter({ carried: () => carried, maxBytes: 1000 });
  writer.write(carried);
  for (let index = 0; index < 100; index += 1) {
    const each = newWriter({ carried: () => carried, maxBytes: 1000 });
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

const fill = (): Promise<void> => writeFile(path.join(dir, 'made'), 'a file where the folder should be');

async function empty(): Promise<void> {
  await rm(path.join(dir, 'made'));
  await mkdir(path.join(dir, 'made'));
}

describe('while the disk is full', () => {
  const end = '2026-01-01T10:00:00Z';

  it('the newest state of each instance waits, and no end is forgotten, however many there are', async () => {
    await fill();
    const running = Array.from({ length: 30 }, (_, i) => interval(`u${i}`));
    const writer = newWriter({ maxWaiting: 10, carried: () => running.slice(20) });
    for (const each of running) writer.write([each]);
    for (const { uid } of running.slice(0, 20)) writer.write([interval(uid, end)]);
    await empty();
    await writer.close();
    const ledger = new Map((await written()).map((each) => [each.uid, each.end]));
    expect(ledger.size).toBe(30);
    expect([...ledger].filter(([, ended]) => ended === undefined).map(([uid]) => uid)).toEqual(
      running.slice(20).map(({ uid }) => uid),
    );
    expect((await readFile(file, 'utf8')).trimEnd().split('\n')).toHaveLength(30);
  });

  it('what is not on the disk at the end is said, with how many intervals are missing', async () => {
    await fill();
    const said: [object, string][] = [];
    const logger = { ...silentLogger, error: (about: object, message: string) => void said.push([about, message]) };
    const writer = newWriter({ logger });
    writer.write([interval('a'), interval('b')]);
    writer.write([interval('a', end)]);
    await writer.close();
    expect(said.at(-1)).toMatchObject([{ file, intervals: 2 }, expect.stringContaining('are missing from it')]);
    expect(await readFile(path.join(dir, 'made'), 'utf8')).toBe('a file where the folder should be');
  });
});
