import { expect, it } from 'vitest';
import { Ending } from './ending.ts';

it('whoever waits for it goes on when it is called, and at once if it was', async () => {
  const ending = new Ending();
  const waiting = [ending.wait(), ending.wait()];
  ending.call();
  ending.call();
  await Promise.all([...waiting, ending.wait()]);
  expect(ending.called).toBe(true);
});

it('is a signal for as long as some work takes', async () => {
  const ending = new Ending();
  const after = await ending.during(async (signal) => signal);
  const during = ending.during(async (signal) => {
    ending.call();
    return signal.aborted;
  });
  expect(await during).toBe(true);
  expect(after.aborted).toBe(false);
  expect(await ending.during(async (signal) => signal.aborted)).toBe(true);
});
