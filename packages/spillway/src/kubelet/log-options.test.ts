import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLogOptions } from './log-options.ts';
import { Problem } from './problem.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const atTime = (time: string): bigint => BigInt(Date.parse(time)) * 1_000_000n;
const defaults = { follow: false, previous: false, timestamps: false, stream: 'All' };

function parse(query: string): unknown {
  return parseLogOptions(new URLSearchParams(query), now);
}

describe('log options', () => {
  test.each([
    ['', {}],
    ['follow=true&previous=true&timestamps=true', { follow: true, previous: true, timestamps: true }],
    ['follow=1&previous=0&timestamps=false', { follow: true }],
    ['follow=&timestamps=True', { follow: true, timestamps: true }],
    ['tailLines=0', { tailLines: 0 }],
    ['tailLines=10', { tailLines: 10 }],
    ['tail=10', { tailLines: 10 }],
    ['tail=all', {}],
    ['limitBytes=1', { limitBytes: 1 }],
    ['sinceSeconds=60', { since: atTime('2025-12-31T23:59:00Z') }],
    ['sinceSeconds=9007199254740991', { since: atTime('2026-01-01T00:00:00Z') - 9_007_199_254_740_991_000_000_000n }],
    ['sinceTime=2025-12-31T00:00:00Z', { since: atTime('2025-12-31T00:00:00Z') }],
    ['sinceTime=2025-12-31T00:00:00.123456789%2B08:00', { since: atTime('2025-12-30T16:00:00Z') + 123_456_789n }],
    ['stream=All', {}],
    ['stream=Stdout', { stream: 'Stdout' }],
    ['stream=Stderr', { stream: 'Stderr' }],
    ['container=main&insecureSkipTLSVerifyBackend=true', {}],
  ])('%j is understood', (query, expected) => {
    expect(parse(query)).toEqual({ ...defaults, ...expected });
  });

  test.each([
    ['tailLines=-1', 'tailLines must be a whole number of at least 0, but is "-1"'],
    ['tailLines=ten', 'tailLines must be a whole number of at least 0, but is "ten"'],
    ['tailLines=', 'tailLines must be a whole number of at least 0, but is ""'],
    ['tailLines=1.5', 'tailLines must be a whole number of at least 0, but is "1.5"'],
    ['limitBytes=0', 'limitBytes must be a whole number of at least 1, but is "0"'],
    [
      'limitBytes=99999999999999999999',
      'limitBytes must be a whole number of at least 1, but is "99999999999999999999"',
    ],
    ['sinceSeconds=0', 'sinceSeconds must be a whole number of at least 1, but is "0"'],
    ['sinceTime=yesterday', 'sinceTime must be a time like 2006-01-02T15:04:05Z, but is "yesterday"'],
    ['sinceTime=2025-12-31', 'sinceTime must be a time like 2006-01-02T15:04:05Z, but is "2025-12-31"'],
    [
      'sinceTime=2025-13-31T00:00:00Z',
      'sinceTime must be a time like 2006-01-02T15:04:05Z, but is "2025-13-31T00:00:00Z"',
    ],
    ['sinceTime=2025-12-31T00:00:00Z&sinceSeconds=1', 'at most one of sinceSeconds and sinceTime may be given'],
    ['follow=maybe', 'follow must be true or false, but is "maybe"'],
    ['stream=Stdin', 'stream must be one of All, Stdout, Stderr, but is "Stdin"'],
  ])('%j is refused with a sentence', (query, message) => {
    expect(() => parse(query)).toThrow(
      expect.objectContaining({ status: 400, message: `invalid log options: ${message}` }),
    );
  });

  test('of any kind are options or a refusal', () => {
    const name = fc.constantFrom('tailLines', 'limitBytes', 'sinceSeconds', 'sinceTime', 'follow', 'stream', 'tail');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string())), (entries) => {
        try {
          const { tailLines = 0, limitBytes = 1 } = parseLogOptions(new URLSearchParams(entries), now);
          expect(tailLines).toBeGreaterThanOrEqual(0);
          expect(limitBytes).toBeGreaterThanOrEqual(1);
        } catch (error) {
          expect(error).toBeInstanceOf(Problem);
        }
      }),
    );
  });
});
