import { ApiError, TransportError } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { BackendError } from '../backend.ts';
import { knownCodes, refusesCredential, toBackendError } from './errors.ts';

const answer = (status: number, body: Record<string, unknown>): ApiError =>
  new ApiError(`POST /pods: ${String(body['message'] ?? body['error_msg'])}`, { status, answer: { body } });

describe('a documented code', () => {
  test.each([
    [401, 'CCI.01.401102', 'blocked', 'CCINotAuthorized', /CCI console/],
    [404, 'CCI.01.404101', 'blocked', 'CCINotAuthorized', /\/v1\/agency/],
    [403, 'CCI.01.403009', 'blocked', 'CCIArrears', /Top up/],
    [403, 'CCI.01.403010', 'blocked', 'CCIFrozen', /support/],
    [403, 'CCI.01.403104', 'unauthorized', 'CCIForbidden', /CCI FullAccess/],
    ...[105, 106, 107, 108, 109].map(
      (n) => [403, `CCI.01.403${n}`, 'unauthorized', 'CCIForbidden', /cci:namespace:/] as const,
    ),
    ...[110, 111, 112, 113, 114].map(
      (n) => [403, `CCI.01.403${n}`, 'unauthorized', 'CCIForbidden', /cci:namespaceSubResource:/] as const,
    ),
    [400, 'CCI.01.400103', 'unauthorized', 'CCIUnauthorized', /IAM/],
    [400, 'CCI.01.400105', 'internal', 'CCIRequestNotUnderstood', /bug in Spillway/],
    [409, 'CCI.02.409101', 'conflict', 'CCINamespaceTaken', /namespaceName/],
    [400, 'CCI.02.400106', 'quota', 'CCIQuota', /quota raised/],
    [400, 'CCI.02.400109', 'internal', 'CCIConfiguration', /namespaceName/],
    [400, 'CCI.02.400110', 'internal', 'CCIRequestNotUnderstood', /bug in Spillway/],
    [400, 'CCI.02.400111', 'internal', 'CCIRequestNotUnderstood', /bug in Spillway/],
    [400, 'CCI.01.400306', 'conflict', 'CCIStorage', /volumeHandle/],
    [400, 'CCI.01.400309', 'conflict', 'CCIStorageImported', /Unbind it/],
    [400, 'CCI.02.400116', 'soldOut', 'CCISoldOut', /another region/],
  ] as const)('%i %s is %s', (status, errorCode, kind, reason, remedy) => {
    const error = toBackendError(answer(status, { kind: 'Status', message: 'what CCI says', errorCode }));
    expect(error).toMatchObject({ kind, reason });
    expect(error.remedy).toMatch(remedy);
    expect(error.message).toContain('what CCI says');
    expect(error.message).toContain(errorCode);
  });

  test.each([
    [401, 'APIGW.0301', 'unauthorized'],
    [401, 'APIG.0301', 'unauthorized'],
    [403, 'APIGW.0302', 'unauthorized'],
    [429, 'APIGW.0308', 'throttled'],
    [404, 'APIGW.0101', 'internal'],
    [504, 'APIGW.0201', 'unavailable'],
  ] as const)('of the gateway: %i %s is %s', (status, code, kind) => {
    const error = toBackendError(answer(status, { error_code: code, error_msg: 'no' }));
    expect(error).toMatchObject({ kind, remedy: expect.stringMatching(/.{10}/) });
  });

  test('says what happened in a sentence, and what to do unless there is nothing', () => {
    for (const [code, { says, remedy, reason, kind }] of Object.entries(knownCodes)) {
      expect(code).toMatch(/^(CCI\.0[12]\.\d{6}|APIGW\.\d{4})$/);
      expect(says).toMatch(/^[a-z].{12,}[^.]$/i);
      expect(reason).toMatch(/^CCI[A-Za-z]+$/);
      if (kind !== 'notFound' && kind !== 'conflict') expect(remedy).toMatch(/^[A-Z].{8,}[^.]$/);
    }
  });
});

describe('an answer without a documented code', () => {
  test.each([
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [404, 'notFound'],
    [409, 'conflict'],
    [422, 'invalid'],
    [429, 'throttled'],
    [503, 'unavailable'],
  ] as const)('with status %i is %s', (status, kind) => {
    expect(toBackendError(answer(status, { message: 'no' })).kind).toBe(kind);
  });

  test('that speaks of an exceeded quota is that of the namespace', () => {
    const body = { message: 'pods "a" is forbidden: exceeded quota: default' };
    expect(toBackendError(answer(403, body)).kind).toBe('quota');
  });

  test('keeps how long to wait, and its cause', () => {
    const error = new ApiError('slow down', { status: 429, retryAfterMs: 2_000 });
    expect(toBackendError(error)).toMatchObject({ kind: 'throttled', retryAfterMs: 2_000, cause: error });
  });
});

test('a gateway that cannot be reached is unavailable; what was translated stays as it is', () => {
  expect(toBackendError(new TransportError('unreachable', 'no route')).kind).toBe('unavailable');
  const error = new BackendError('soldOut', 'x');
  expect(toBackendError(error)).toBe(error);
});

test('a 401 of CCI itself is not about the credential', () => {
  expect(refusesCredential('APIGW.0301')).toBe(true);
  expect(refusesCredential(undefined)).toBe(true);
  expect(refusesCredential('CCI.01.401102')).toBe(false);
});
