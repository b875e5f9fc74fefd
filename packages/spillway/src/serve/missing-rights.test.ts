import { ApiError } from '@spillway/kube';
import { expect, test } from 'vitest';
import { remedyOf } from './missing-rights.ts';

const forbidden = (user: string): ApiError =>
  new ApiError(`pods is forbidden: User "${user}" cannot list resource "pods" in API group ""`, { status: 403 });

test('who lacks a right of Spillway is told how to get all of them', () => {
  expect(remedyOf(forbidden('system:serviceaccount:spillway-system:spillway'))).toMatch(/spillway manifests rbac/);
  expect(remedyOf(forbidden('jane'))).toMatch(/spillway manifests rbac/);
});

test('what a node may not read is no right of Spillway', () => {
  expect(remedyOf(forbidden('system:node:vk'))).toBeUndefined();
});

test('credentials that are not accepted are told with where they come from', () => {
  expect(remedyOf(new ApiError('Unauthorized', { status: 401 }))).toMatch(/section kubernetes of the configuration/);
});
