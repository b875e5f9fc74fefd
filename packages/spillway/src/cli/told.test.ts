import { ApiError, KubeconfigError, TransportError } from '@spillway/kube';
import { expect, test } from 'vitest';
import { CommandFailure, UsageError } from './mistake.ts';
import { toldOf } from './told.ts';

test.each<[string, Error, number]>([
  ['credentials that are not accepted', new ApiError('Unauthorized', { status: 401 }), 2],
  ['a kubeconfig that cannot be used', new KubeconfigError('no such file'), 2],
  ['a command line that cannot be meant', new UsageError('--config or --file'), 2],
  ['a right that is missing', new ApiError('forbidden', { status: 403 }), 1],
  ['an object that is not there', new ApiError('not found', { status: 404 }), 1],
  ['a server that does not answer', new TransportError('timeout', 'no answer'), 1],
  ['an interruption', new CommandFailure('interrupted', 130), 130],
])('%s is told in its own words, with its exit code', (_, error, exitCode) => {
  expect(toldOf(error)).toEqual({ exitCode, text: error.message });
});

test('a defect is not told as something else', () => {
  expect(toldOf(new TypeError('x is undefined'))).toBeUndefined();
});
