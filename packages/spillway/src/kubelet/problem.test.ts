import { describe, expect, test } from 'vitest';
import { BackendError, type BackendErrorKind } from '../backends/backend.ts';
import { Problem, problemOf } from './problem.ts';

describe('a failure', () => {
  test.each<[BackendErrorKind, number]>([
    ['notFound', 404],
    ['invalid', 400],
    ['conflict', 409],
    ['throttled', 429],
    ['unavailable', 503],
    ['internal', 500],
  ])('of the backend of kind %s is answered with status %i and its sentence', (kind, status) => {
    const error = new BackendError(kind, 'the region does not answer', {
      remedy: 'Try again later',
      retryAfterMs: 1500,
    });
    expect(problemOf(error, 'no log')).toMatchObject({
      status,
      message: 'no log: the region does not answer. Try again later.',
      retryAfterSeconds: 2,
      cause: error,
    });
  });

  test('that is a defect tells nothing about the inside', () => {
    const error = new TypeError('x.secret is undefined');
    expect(problemOf(error, 'no log')).toMatchObject({
      status: 500,
      message: 'no log: internal error, see the log of spillway',
      cause: error,
    });
  });

  test('that already is an answer stays it', () => {
    const problem = new Problem(404, 'nothing here');
    expect(problemOf(problem, 'no log')).toBe(problem);
  });
});
