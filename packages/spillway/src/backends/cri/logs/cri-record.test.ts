import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { fixedNanoseconds, parseRecord } from './cri-record.ts';

describe('a record of a container’s log', () => {
  test('has time, stream, tag and content', () => {
    const record = parseRecord(Buffer.from('2026-10-06T00:17:09.669794202Z stderr P two  words '));
    expect(record).toMatchObject({ timestamp: '2026-10-06T00:17:09.669794202Z', stream: 'stderr', partial: true });
    expect(String(record?.content)).toBe('two  words ');
  });

  test.each([
    ['2026-10-06T00:17:09Z stdout F', ''],
    ['2026-10-06T00:17:09Z stdout F ', ''],
    ['2026-10-06T00:17:09Z stdout F:other:tags x', 'x'],
  ])('%j is read, too', (line, content) => {
    expect(String(parseRecord(Buffer.from(line))?.content)).toBe(content);
  });

  test.each(['', 'x', 'time stdout', 'time stdin F x', 'time stdout X x', ' stdout F x', '{"log":"docker"}'])(
    '%j is none',
    (line) => {
      expect(parseRecord(Buffer.from(line))).toBeUndefined();
    },
  );

  test.prop([fc.uint8Array()])('is never an exception', (bytes) => {
    expect(() => parseRecord(Buffer.from(bytes))).not.toThrow();
  });
});

test.each([
  ['2026-10-06T00:17:09.66979Z', '2026-10-06T00:17:09.669790000Z'],
  ['2026-10-06T00:17:09Z', '2026-10-06T00:17:09.000000000Z'],
  ['2026-10-06T00:17:09.1+08:00', '2026-10-06T00:17:09.100000000+08:00'],
  ['nonsense', 'nonsense'],
])('the time %s is printed as %s', (timestamp, printed) => {
  expect(fixedNanoseconds(timestamp)).toBe(printed);
});
