import { expect, test } from 'vitest';
import { BackendError } from '../backends/backend.ts';
import { persist } from './persist.ts';

const away = (): BackendError => new BackendError('unavailable', 'CCI did not answer', { remedy: 'Check the network' });
const clock = { now: () => 0, sleep: async () => {} };

test('tries again until it succeeds, and tells each reason once', async () => {
  const told: string[] = [];
  let left = 3;
  const work = async (): Promise<string> => {
    left -= 1;
    if (left > 0) throw away();
    return 'done';
  };
  const signal = new AbortController().signal;
  expect(await persist('Pool cci', work, { tell: (line) => told.push(line), clock }, signal)).toBe('done');
  expect(told).toEqual(['Pool cci: CCI did not answer. Check the network; trying again']);
});

test('when time is up, says why it did not succeed, and not that time is up', async () => {
  const stop = new AbortController();
  const sleep = async (): Promise<void> => stop.abort();
  const errors = [away(), new BackendError('unavailable', 'aborted')];
  const work = async (): Promise<never> => {
    throw errors.shift() ?? away();
  };
  await expect(
    persist('Pool cci', work, { tell: () => {}, clock: { now: () => 0, sleep } }, stop.signal),
  ).rejects.toThrow('CCI did not answer. Check the network');
});

const mistake = async (): Promise<never> => {
  throw new TypeError('undefined is not a function');
};

test('a mistake of ours is not tried again', async () => {
  const signal = new AbortController().signal;
  await expect(persist('Pool cci', mistake, { tell: () => {}, clock }, signal)).rejects.toThrow(TypeError);
});
