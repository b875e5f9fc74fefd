import { ApiError, TransportError } from '@spillway/kube';
import { expect, test } from 'vitest';
import { BackendError } from '../backend.ts';
import { kubernetesDialect } from './dialect.ts';
import { backendError } from './errors.ts';

const api = (status: number, message = 'no', more: object = {}): ApiError => new ApiError(message, { status, ...more });

test.for<[string, unknown]>([
  ['unauthorized', api(401)],
  ['unauthorized', api(403)],
  ['quota', api(403, 'pods "web" is forbidden: exceeded quota: all, requested: pods=1')],
  ['invalid', api(403, 'pods "web" is forbidden: violates PodSecurity "restricted:latest"')],
  ['unavailable', api(403, 'forbidden', { details: { causes: [{ reason: 'NamespaceTerminating' }] } })],
  ['notFound', api(404)],
  ['conflict', api(409)],
  ['invalid', api(422)],
  ['throttled', api(429)],
  ['unavailable', api(503)],
  ['unavailable', new TransportError('timeout', 'no answer')],
  ['internal', new Error('bug')],
])('%s', ([kind, error]) => {
  const found = backendError(error, 'create pod a/b', kubernetesDialect);
  expect(found).toMatchObject({ kind, cause: error });
  expect(found.message).toMatch(/^kubernetes: could not create pod a\/b: /);
});

test('waits as long as the server asks, and tells what only its API means', () => {
  expect(backendError(api(429, 'slow', { retryAfterMs: 2000 }), 'list', kubernetesDialect).retryAfterMs).toBe(2000);
  const soldOut = new BackendError('soldOut', 'nothing left');
  expect(backendError(api(400), 'list', { ...kubernetesDialect, errorOf: () => soldOut })).toBe(soldOut);
});
