import { describe, expect, test } from 'vitest';
import { ApiError, TransportError } from '../errors.ts';
import { retryDelayMs } from './retry.ts';

const ask = (error: unknown, method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', extra = {}): number | undefined =>
  retryDelayMs({ request: { method, contentType: undefined }, error, failures: 1, random: 0.5, ...extra });

const throttled = new ApiError('slow down', { status: 429, retryAfterMs: 2_000 });
const disrupted = new ApiError('the disruption budget forbids it', { status: 429 });
const unavailable = new ApiError('no leader', { status: 503 });
const refused = new TransportError('unreachable', 'refused', { unsent: true });
const lost = new TransportError('unreachable', 'lost');

describe('a request is sent again', () => {
  test('after the time that flow control names, whatever it was', () => {
    expect(ask(throttled, 'POST')).toBeGreaterThanOrEqual(2_000);
    expect(ask(throttled, 'GET', { failures: 9 })).toBeGreaterThanOrEqual(2_000);
  });
  test('when it certainly never left', () => {
    expect(ask(refused, 'POST')).toBe(100);
    expect(ask(refused, 'GET', { failures: 3 })).toBe(400);
  });
  test('when the server was unavailable and doing it twice is doing it once', () => {
    expect(ask(unavailable, 'PUT')).toBe(100);
    expect(ask(unavailable, 'DELETE')).toBe(100);
    expect(
      ask(unavailable, 'PATCH', { request: { method: 'PATCH', contentType: 'application/merge-patch+json' } }),
    ).toBe(100);
  });
  test('when it only reads and the connection was lost', () => expect(ask(lost, 'GET')).toBe(100));
});

describe('a request is not sent again', () => {
  test('when the connection was lost and it may have been carried out', () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) expect(ask(lost, method)).toBeUndefined();
  });
  test('when the server was unavailable and doing it twice is more than once', () => {
    expect(ask(unavailable, 'POST')).toBeUndefined();
    expect(
      ask(unavailable, 'PATCH', { request: { method: 'PATCH', contentType: 'application/json-patch+json' } }),
    ).toBeUndefined();
  });
  test('when a 429 names no time: that is an answer about a disruption budget', () => {
    expect(ask(disrupted, 'POST')).toBeUndefined();
  });
  test('for ever', () => {
    expect(ask(throttled, 'GET', { failures: 10 })).toBeUndefined();
    expect(ask(refused, 'GET', { failures: 5 })).toBeUndefined();
  });
  test('after other answers', () => {
    for (const status of [400, 401, 403, 404, 409, 410, 422, 500]) {
      expect(ask(new ApiError('no', { status }), 'GET')).toBeUndefined();
    }
    expect(ask(new TransportError('tls', 'wrong CA', { unsent: true }), 'GET')).toBeUndefined();
    expect(ask(new TransportError('timeout', 'slow'), 'GET')).toBeUndefined();
  });
});
