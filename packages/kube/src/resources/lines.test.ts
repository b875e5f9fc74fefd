import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { LineSplitter } from './lines.ts';

const line = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replaceAll('\n', ''));
const cuts = fc.array(fc.nat(500), { maxLength: 30 });

function cut(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const at = positions.map((position) => position % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

test.prop([fc.array(line), cuts])(
  'the lines come out whole, however the network cuts the stream',
  (lines, positions) => {
    const splitter = new LineSplitter();
    const stream = Buffer.from(lines.map((text) => `${text}\n`).join(''));
    const seen = cut(stream, positions).flatMap((chunk) => splitter.push(chunk));
    expect(seen).toEqual(lines.filter((text) => text !== ''));
    expect(splitter.pending).toBe(0);
  },
);

test.prop([line, line, cuts])('what has no line end yet is held back and counted', (first, rest, positions) => {
  const splitter = new LineSplitter();
  const stream = Buffer.from(`${first}\n${rest}`);
  const seen = cut(stream, positions).flatMap((chunk) => splitter.push(chunk));
  expect(seen).toEqual(first === '' ? [] : [first]);
  expect(splitter.pending).toBe(Buffer.byteLength(rest));
});
