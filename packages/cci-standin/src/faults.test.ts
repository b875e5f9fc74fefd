import { expect, test } from 'vitest';
import { Faults, readFault } from './faults.ts';

test('a fault strikes the calls that it names, as often as it says', () => {
  const faults = new Faults();
  faults.add({ kind: 'answer', status: 429, method: 'POST', path: '/pods$', times: 2 });
  expect(faults.take('GET', '/api/v1/pods').size).toBe(0);
  expect(faults.take('POST', '/api/v1/secrets').size).toBe(0);
  expect(faults.take('POST', '/api/v1/pods').get('answer')).toMatchObject({ status: 429 });
  expect(faults.take('POST', '/api/v1/pods').has('answer')).toBe(true);
  expect(faults.take('POST', '/api/v1/pods').size).toBe(0);
  expect(faults.list()).toEqual([]);
});

test('of several faults of one kind the oldest strikes first, and different kinds strike together', () => {
  const faults = new Faults();
  faults.add({ kind: 'answer', status: 500, times: 1 });
  faults.add({ kind: 'answer', status: 503 });
  faults.add({ kind: 'latency', ms: 5 });
  expect([...faults.take('GET', '/').values()]).toMatchObject([{ status: 500 }, { ms: 5 }]);
  expect([...faults.take('GET', '/').values()]).toMatchObject([{ status: 503 }, { ms: 5 }]);
  faults.clear();
  expect(faults.take('GET', '/').size).toBe(0);
});

test('a fault strikes one of as many calls as it says, in no rhythm, and as often as it says', () => {
  const faults = new Faults();
  faults.add({ kind: 'answer', status: 500, every: 3, times: 20 });
  const struck = Array.from({ length: 99 }, () => faults.take('GET', '/').size);
  const turns = Array.from({ length: 33 }, (_, round) => struck.slice(round * 3, round * 3 + 3).join(''));
  expect(new Set(turns.slice(0, 20))).toEqual(new Set(['100', '010', '001']));
  expect(new Set(turns.slice(20))).toEqual(new Set(['000']));
});

test('only new pods can be sold out', () => {
  const faults = new Faults();
  const { id } = faults.add({ kind: 'soldOut' });
  expect(faults.take('GET', '/api/v1/namespaces/a/pods').size).toBe(0);
  expect(faults.take('POST', '/api/v1/namespaces/a/secrets').size).toBe(0);
  expect(faults.take('POST', '/api/v1/namespaces/a/pods').has('soldOut')).toBe(true);
  faults.remove(id);
  expect(faults.list()).toEqual([]);
});

test.each([
  {},
  { kind: 'unknown' },
  { kind: 'answer', status: 200 },
  { kind: 'latency' },
  { kind: 'soldOut', path: '(' },
])('%j is no fault', (body) => expect(readFault(body)).toBeUndefined());
