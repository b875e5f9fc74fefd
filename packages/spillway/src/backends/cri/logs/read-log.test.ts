import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../../../testkit/eventually.ts';
import { rotatedName } from './log-files.ts';
import { type ReadLogOptions, readLog } from './read-log.ts';
import { rotateLog } from './rotate.ts';
import { tailPosition } from './tail.ts';

let folder: string;
let current: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-logs-'));
});

beforeEach(() => {
  current = join(folder, `${count++}.log`);
});

afterAll(() => rm(folder, { recursive: true }));

const record = (content: string, tag = 'F', stream = 'stdout'): string =>
  `2026-10-06T00:00:00Z ${stream} ${tag} ${content}\n`;
const lines = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `line ${from + index}`);
const text = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');

class Reader {
  readonly #parts: Buffer[] = [];
  readonly #leaving = new AbortController();
  ended = false;
  readonly done: Promise<void>;

  constructor(path: string, options: Partial<ReadLogOptions> = {}) {
    const sink = { write: async (chunk: Uint8Array): Promise<void> => void this.#parts.push(Buffer.from(chunk)) };
    const all = { follow: false, timestamps: false, stream: 'All', ...options } as const;
    this.done = readLog(path, all, sink, () => this.ended, this.#leaving.signal);
  }

  get text(): string {
    return Buffer.concat(this.#parts).toString();
  }

  leave(): void {
    this.#leaving.abort();
  }
}

async function read(options: Partial<ReadLogOptions> = {}): Promise<string> {
  const reader = new Reader(current, options);
  await reader.done;
  return reader.text;
}

describe('a log', () => {
  test('of a container that never wrote is empty', async () => {
    expect(await read()).toBe('');
    expect(await read({ tailLines: 3 })).toBe('');
  });

  test('includes what was rotated away, the oldest first', async () => {
    await writeFile(rotatedName(current, new Date(1000)), record('one'));
    await writeFile(rotatedName(current, new Date(2000)), record('two'));
    await writeFile(current, record('three'));
    expect(await read()).toBe('one\ntwo\nthree\n');
    expect(await read({ tailLines: 2 })).toBe('two\nthree\n');
  });

  test('does not mistake another attempt’s files for its own', async () => {
    await writeFile(current, record('mine'));
    await writeFile(current.replace(/\d+\.log$/, '99.log'), record('other'));
    expect(await read()).toBe('mine\n');
  });

  property.prop([
    fc.array(fc.record({ tag: fc.constantFrom('P', 'F'), stream: fc.constantFrom('stdout', 'stderr') }), {
      maxLength: 40,
    }),
    fc.nat({ max: 12 }),
    fc.nat({ max: 40 }),
  ])('from its end has the last lines, wherever the files were cut', async (written, wanted, cut) => {
    const path = join(folder, `${count++}.log`);
    const all = written.map(({ tag, stream }, index) => record(String(index), tag, stream));
    await writeFile(rotatedName(path, new Date(1000)), all.slice(0, cut).join(''));
    await writeFile(path, all.slice(cut).join(''));
    const whole = new Reader(path, { stream: 'Stdout' });
    const tail = new Reader(path, { stream: 'Stdout', tailLines: wanted });
    await Promise.all([whole.done, tail.done]);
    const expected = wanted === 0 ? [] : whole.text.split(/(?<=\n)/).slice(-wanted);
    expect(tail.text).toBe(expected.join(''));
  });

  test('with lines longer than what is read at once is cut at lines all the same', async () => {
    const long = ['a', 'b', 'c'].map((each) => each.repeat(100_000));
    await writeFile(current, long.map((each) => record(each)).join(''));
    expect(await read({ tailLines: 2 })).toBe(text(long.slice(1)));
    expect(await tailPosition([current], 99, 'All')).toEqual({ file: 0, offset: 0 });
  });
});

describe('a followed log', () => {
  test('goes on as the container writes, and ends with it', async () => {
    await writeFile(current, record('one'));
    const reader = new Reader(current, { follow: true });
    await eventually('the first line', () => reader.text === 'one\n');
    await appendFile(current, record('two'));
    await eventually('the second line', () => reader.text === 'one\ntwo\n');
    await appendFile(current, record('last'));
    reader.ended = true;
    await reader.done;
    expect(reader.text).toBe('one\ntwo\nlast\n');
  });

  test('waits for a file that is not there yet', async () => {
    const reader = new Reader(current, { follow: true });
    await writeFile(current, record('late'));
    await eventually('the line', () => reader.text === 'late\n');
    reader.leave();
    await reader.done;
  });

  test('is complete through rotations', async () => {
    const reader = new Reader(current, { follow: true });
    let written = 0;
    for (let round = 0; round < 6; round++) {
      for (const line of lines(written, written + 20)) await appendFile(current, record(line));
      written += 20;
      await eventually('the reader', () => reader.text.endsWith(`line ${written - 1}\n`));
      await rotateLog(current, { maxBytes: 10, maxFiles: 2 }, new Date(round * 1000), () => writeFile(current, ''));
    }
    reader.ended = true;
    await reader.done;
    expect(reader.text).toBe(text(lines(0, written)));
  });

  test('ends when the reader leaves or has had enough', async () => {
    await writeFile(current, record('one'));
    const leaving = new Reader(current, { follow: true });
    await eventually('the line', () => leaving.text !== '');
    leaving.leave();
    await leaving.done;
    const satisfied = new Reader(current, { follow: true, limitBytes: 2 });
    await satisfied.done;
    expect(satisfied.text).toBe('on');
  });

  test('reads no more than its sink takes', async () => {
    await writeFile(current, record('x'.repeat(10_000)).repeat(1000));
    let writes = 0;
    const never = Promise.withResolvers<void>();
    const leaving = new AbortController();
    const sink = { write: (): Promise<void> => (++writes === 1 ? Promise.resolve() : never.promise) };
    const options = { follow: false, timestamps: false, stream: 'All' } as const;
    const reading = readLog(current, options, sink, () => true, leaving.signal);
    await eventually('the second write', () => writes === 2);
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(writes).toBe(2);
    leaving.abort();
    never.resolve();
    await reading;
  });
});

describe('rotation', () => {
  test('leaves small files alone', async () => {
    await writeFile(current, record('small'));
    await rotateLog(current, { maxBytes: 1000, maxFiles: 5 }, new Date(), () => Promise.reject(new Error('not asked')));
    expect(await read()).toBe('small\n');
  });

  test('is undone when the runtime does not open a new file', async () => {
    await writeFile(current, record('kept'));
    const rotating = rotateLog(current, { maxBytes: 1, maxFiles: 5 }, new Date(), () =>
      Promise.reject(new Error('away')),
    );
    await expect(rotating).rejects.toThrow('away');
    expect(await read()).toBe('kept\n');
  });
});
