import { describe, expect, test } from 'vitest';
import { ApiError, TransportError } from '../errors.ts';
import { afterFailure } from './after-failure.ts';

const watching = { streamedList: false };
const filling = { streamedList: true };

describe('the watch goes on from where it was', () => {
  test.each([
    new ApiError('slow down', { status: 429, retryAfterMs: 3_000 }),
    new ApiError('internal', { status: 500 }),
    new ApiError('no leader', { status: 503 }),
  ])('%s', (error) => expect(afterFailure(error, watching).relist).toBe(false));
});

describe('everything is listed again', () => {
  const future = new ApiError('too large resource version', {
    status: 504,
    reason: 'Timeout',
    details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
  });
  test.each([
    new TransportError('unreachable', 'refused'),
    new TransportError('protocol', 'cut off'),
    new TransportError('timeout', 'silent'),
    new ApiError('expired', { status: 410, reason: 'Expired' }),
    future,
    new ApiError('forbidden', { status: 403 }),
    new Error('the transform failed'),
  ])('%s', (error) => expect(afterFailure(error, watching).relist).toBe(true));
});

test('the server is given the time that it asks for', () => {
  expect(afterFailure(new ApiError('x', { status: 429, retryAfterMs: 3_000 }), watching).atLeastMs).toBe(3_000);
});

test('a server that does not know streamed lists is not asked again; a swallowed one counts', () => {
  const unknown = new ApiError('sendInitialEvents is forbidden', { status: 422, reason: 'Invalid' });
  expect(afterFailure(unknown, filling).withoutStreamedList).toBe(true);
  expect(afterFailure(unknown, watching).withoutStreamedList).toBe(false);
  expect(afterFailure(new TransportError('timeout', 'dead'), filling).streamedListFailed).toBe(true);
  expect(afterFailure(new TransportError('unreachable', 'refused'), filling).streamedListFailed).toBe(false);
});
