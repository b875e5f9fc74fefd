import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogPart } from './log-part.ts';

const since = BigInt(Date.parse('2026-01-01T00:00:30Z')) * 1_000_000n;
const log = [
  '2026-01-01T00:00:29.999999999Z early',
  '2026-01-01T08:00:30+08:00 on time',
  '2026-01-01T00:00:30.5Z late',
  '2026-01-01T00:00:31Z ',
  'no time',
].join('\n');

function cut(text: string, options: { timestamps: boolean; limitBytes?: number }, pieceBytes = 7): string {
  const part = new LogPart({ since, ...options });
  const bytes = Buffer.from(text);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(part.take(bytes.subarray(at, at + pieceBytes)));
  return Buffer.concat([...pieces, part.rest()]).toString();
}

test('begins with the first line that is not older, to the nanosecond', () => {
  expect(cut(log, { timestamps: true })).toBe(log.slice(log.indexOf('\n') + 1));
});

test('has times only for who asked for them', () => {
  expect(cut(log, { timestamps: false })).toBe('on time\nlate\n\nno time');
});

test('is cut off where the reader wants it', () => {
  expect(cut(log, { timestamps: false, limitBytes: 10 })).toBe('on time\nla');
  const part = new LogPart({ since, timestamps: false, limitBytes: 3 });
  part.take(Buffer.from('2026-01-01T00:00:30Z abc\n'));
  expect(part.full).toBe(true);
});

test('is the same however it arrives', () => {
  const line = fc.tuple(fc.constantFrom('29.9', '30', '30.000000001'), fc.string({ unit: 'binary' }), fc.boolean());
  fc.assert(
    fc.property(fc.array(line), fc.integer({ min: 1, max: 40 }), (lines, pieceBytes) => {
      const text = lines
        .map(([seconds, words, stamped]) => `${stamped ? `2026-01-01T00:00:${seconds}Z ` : ''}${words}\n`)
        .join('');
      const options = { timestamps: false };
      expect(cut(text, options, pieceBytes)).toBe(cut(text, options, 1_000_000));
    }),
  );
});
