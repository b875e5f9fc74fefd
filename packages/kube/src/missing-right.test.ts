import { expect, test } from 'vitest';
import { ApiError } from './errors.ts';
import { missingRightOf } from './missing-right.ts';

const forbidden = (message: string): ApiError => new ApiError(message, { status: 403, reason: 'Forbidden' });

test.each([
  [
    'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope',
    { user: 'jane', verb: 'list', resource: 'nodes' },
  ],
  [
    'pods "a" is forbidden: User "system:serviceaccount:s:spillway" cannot patch resource "pods/status" in API group "" in the namespace "b"',
    { user: 'system:serviceaccount:s:spillway', verb: 'patch', resource: 'pods/status' },
  ],
  [
    'users "system:node:vk" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
    { user: 'bob', verb: 'impersonate', resource: 'users' },
  ],
  ['forbidden: User "jane" cannot get path "/metrics"', { user: 'jane', verb: 'get', resource: '/metrics' }],
  ['pods "a" is forbidden: violates PodSecurity "restricted:latest"', undefined],
  ['pods "a" is forbidden: exceeded quota: q', undefined],
])('%s', (message, expected) => {
  expect(missingRightOf(forbidden(`GET /x: ${message}`))).toEqual(expected);
});

test('no other answer is a missing right', () => {
  expect(missingRightOf(new ApiError('User "a" cannot list resource "b"', { status: 401 }))).toBeUndefined();
  expect(missingRightOf(new Error('User "a" cannot list resource "b"'))).toBeUndefined();
});
