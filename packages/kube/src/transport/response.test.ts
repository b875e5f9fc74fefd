import { expect, test } from 'vitest';
import { toApiError } from './response.ts';

const about = 'POST /api/v1/namespaces';

test('what a vendor adds to a Status can be read, with the time of the answer', () => {
  const body = {
    kind: 'Status',
    status: 'Failure',
    message: 'namespace name is already exist',
    reason: 'Conflict',
    errorCode: 'CCI.02.409101',
  };
  const error = toApiError(409, { date: 'Thu, 01 Jan 2026 00:00:00 GMT' }, JSON.stringify(body), about);
  expect(error).toMatchObject({
    kind: 'conflict',
    message: 'POST /api/v1/namespaces: namespace name is already exist',
    answer: { body: { errorCode: 'CCI.02.409101' }, date: Date.parse('2026-01-01T00:00:00Z') },
  });
});

test('a gateway is understood: its sentence, its code and the request that its support asks for', () => {
  const body = { error_code: 'APIGW.0301', error_msg: 'Incorrect IAM authentication information', request_id: 'abc' };
  const error = toApiError(401, {}, JSON.stringify(body), about);
  expect(error).toMatchObject({
    kind: 'unauthorized',
    message: 'POST /api/v1/namespaces: status 401: Incorrect IAM authentication information (APIGW.0301), request abc',
    answer: { body },
  });
  expect(toApiError(404, {}, '{"error_code":"APIGW.0101"}', about).message).toBe(
    'POST /api/v1/namespaces: status 404: APIGW.0101',
  );
});

test('answers that are no object, or too large to keep, leave an error without them', () => {
  const large = JSON.stringify({ kind: 'Status', message: 'long', details: 'x'.repeat(20_000) });
  expect(toApiError(500, {}, large, about)).toMatchObject({ message: `${about}: long`, answer: {} });
  expect(toApiError(500, {}, large, about).answer).toEqual({});
  expect(toApiError(502, { date: 'yesterday' }, '<h1>', about).answer).toEqual({});
  const lines = toApiError(400, {}, JSON.stringify({ error_msg: 'x'.repeat(500) }), about).message;
  expect(lines.length).toBeLessThan(260);
});

test('whoever answers cannot make us wait for more than a minute', () => {
  expect(toApiError(503, { 'retry-after': '86400' }, '<html>maintenance</html>', about).retryAfterMs).toBe(60_000);
  expect(toApiError(429, { 'retry-after': '3' }, '', about).retryAfterMs).toBe(3000);
  const status = { kind: 'Status', message: 'later', details: { retryAfterSeconds: 86_400 } };
  expect(toApiError(429, {}, JSON.stringify(status), about).retryAfterMs).toBe(60_000);
  const odd = { kind: 'Status', message: 'later', details: { retryAfterSeconds: 'a day' } };
  expect(toApiError(429, {}, JSON.stringify(odd), about).retryAfterMs).toBeUndefined();
});
