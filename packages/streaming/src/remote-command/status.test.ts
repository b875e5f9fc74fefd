import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RemoteResult, formatLegacyStatus, formatStatus, parseStatus } from './status.ts';

describe('the result of a remote command', () => {
  test('is a metav1.Status that kubectl understands', () => {
    expect(JSON.parse(formatStatus({ exitCode: 0 }))).toEqual({ metadata: {}, status: 'Success' });
    expect(JSON.parse(formatStatus({ exitCode: 3 }))).toEqual({
      metadata: {},
      status: 'Failure',
      message: 'command terminated with non-zero exit code: exit status 3',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    });
    expect(JSON.parse(formatStatus({ error: 'the container is gone' }))).toEqual({
      metadata: {},
      status: 'Failure',
      message: 'the container is gone',
      reason: 'InternalError',
      code: 500,
    });
  });

  test('was a sentence before protocol v4, and nothing on success', () => {
    expect(formatLegacyStatus({ exitCode: 0 })).toBe('');
    expect(formatLegacyStatus({ exitCode: 2 })).toContain('exit status 2');
    expect(formatLegacyStatus({ error: 'gone' })).toBe('gone');
  });

  test('is the same after its way to the client', () => {
    const result: fc.Arbitrary<RemoteResult> = fc.oneof(
      fc.record({ exitCode: fc.integer({ min: 0, max: 255 }) }),
      fc.record({ error: fc.string({ minLength: 1 }), reason: fc.constantFrom('InternalError', 'NotFound') }),
    );
    fc.assert(
      fc.property(result, (value) => {
        expect(parseStatus(formatStatus(value))).toEqual(value);
      }),
    );
  });

  test('of containerd 1.6 is understood', () => {
    const status =
      '{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: exit status 7",' +
      '"reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}';
    expect(parseStatus(status)).toEqual({ exitCode: 7 });
  });

  test.each(['', 'some text', 'null', '[]', '{"status":"Failure","reason":"NonZeroExitCode"}'])(
    'is an error when the server says only %j',
    (text) => {
      expect(parseStatus(text)).toHaveProperty('error');
    },
  );
});
