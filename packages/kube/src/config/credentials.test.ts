import { expect, test } from 'vitest';
import { TestClock } from '../../test/test-clock.ts';
import { type Credentials, refreshedCredentials } from './credentials.ts';

test('files are read again after a while, and a change makes a new generation', async () => {
  const clock = new TestClock();
  let token = 'a';
  let reads = 0;
  const source = refreshedCredentials({
    clock,
    refreshMs: 10_000,
    read: () => {
      reads++;
      return Promise.resolve({ token });
    },
  });
  expect(await source.current()).toEqual({ generation: 1, credentials: { token: 'a' } });
  token = 'b';
  await clock.advance(9_999);
  expect((await source.current()).generation).toBe(1);
  await clock.advance(1);
  expect(await source.current()).toEqual({ generation: 2, credentials: { token: 'b' } });
  await clock.advance(10_000);
  expect((await source.current()).generation).toBe(2);
  expect(reads).toBe(3);
});

test('requests at the same time share one reading', async () => {
  let reads = 0;
  const read = Promise.withResolvers<Credentials>();
  const source = refreshedCredentials({
    read: () => {
      reads++;
      return read.promise;
    },
  });
  const all = [source.current(), source.current(), source.current()];
  read.resolve({ token: 't' });
  expect((await Promise.all(all)).map(({ generation }) => generation)).toEqual([1, 1, 1]);
  expect(reads).toBe(1);
});

test('a refused generation is read again at once', async () => {
  let token = 'a';
  const source = refreshedCredentials({ clock: new TestClock(), read: () => Promise.resolve({ token }) });
  await source.current();
  token = 'b';
  source.invalidate?.(1);
  expect(await source.current()).toEqual({ generation: 2, credentials: { token: 'b' } });
  token = 'c';
  source.invalidate?.(1);
  expect((await source.current()).generation).toBe(2);
});

test('while files are being replaced the last good credentials are used; without any, the error is told', async () => {
  const clock = new TestClock();
  let broken = true;
  const source = refreshedCredentials({
    clock,
    read: () => (broken ? Promise.reject(new Error('half a file')) : Promise.resolve({ token: 't' })),
  });
  await expect(source.current()).rejects.toThrow('half a file');
  broken = false;
  expect((await source.current()).generation).toBe(1);
  broken = true;
  await clock.advance(60_000);
  expect(await source.current()).toEqual({ generation: 1, credentials: { token: 't' } });
});
