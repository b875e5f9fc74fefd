import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { isNotFound, isUnavailable, isUnimplemented, runtimeError } from './errors.ts';

const failure = (code: status, details: string): ServiceError =>
  Object.assign(new Error(details), { code, details, metadata: new Metadata() });

test.each([
  [
    status.UNAVAILABLE,
    'connect ENOENT /x',
    'unavailable',
    'container runtime at /x cannot be reached: the socket does not exist',
  ],
  [
    status.UNAVAILABLE,
    'connect ECONNREFUSED /x',
    'unavailable',
    'container runtime at /x cannot be reached: nothing listens on the socket',
  ],
  [status.UNKNOWN, 'server is not initialized yet', 'unavailable', 'server is not initialized yet'],
  [
    status.DEADLINE_EXCEEDED,
    'Deadline exceeded',
    'unavailable',
    'container runtime at /x did not answer Version in time',
  ],
  [status.NOT_FOUND, 'no such container', 'notFound', 'no such container'],
  [status.ALREADY_EXISTS, 'there', 'conflict', 'there'],
  [status.RESOURCE_EXHAUSTED, 'full', 'throttled', 'full'],
  [status.UNKNOWN, 'anything', 'internal', 'anything'],
])('code %i with %j is %s', (code, details, kind, message) => {
  const cause = failure(code, details);
  expect(runtimeError('Version', '/x', cause)).toMatchObject({ kind, message, cause });
});

test('kinds can be asked for', () => {
  const unimplemented = runtimeError('GetContainerEvents', '/x', failure(status.UNIMPLEMENTED, 'unknown method'));
  expect([isUnimplemented(unimplemented), isNotFound(unimplemented), isUnavailable(unimplemented)]).toEqual([
    true,
    false,
    false,
  ]);
  expect(isUnimplemented(undefined)).toBe(false);
});
