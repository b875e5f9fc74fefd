import { describe, expect, test } from 'vitest';
import { Semaphore } from './semaphore.ts';

function work(): { start: () => Promise<string>; finish: (name: string) => void; started: boolean } {
  const { promise, resolve } = Promise.withResolvers<string>();
  const result = {
    started: false,
    finish: resolve,
    start: () => {
      result.started = true;
      return promise;
    },
  };
  return result;
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

describe('a semaphore', () => {
  test('lets in as many as it may, and the next when one leaves', async () => {
    const semaphore = new Semaphore(2);
    const [a, b, c] = [work(), work(), work()];
    const first = semaphore.run(a.start);
    void semaphore.run(b.start);
    void semaphore.run(c.start);
    await turns();
    expect([a, b, c].map(({ started }) => started)).toEqual([true, true, false]);
    a.finish('a');
    expect(await first).toBe('a');
    await turns();
    expect(c.started).toBe(true);
  });

  test('lets in what is urgent before what came earlier', async () => {
    const semaphore = new Semaphore(1);
    const [a, ordinary, urgent] = [work(), work(), work()];
    void semaphore.run(a.start);
    void semaphore.run(ordinary.start);
    void semaphore.run(urgent.start, { urgent: true });
    await turns();
    a.finish('');
    await turns();
    expect([ordinary.started, urgent.started]).toEqual([false, true]);
  });

  test('gives its place on when the work fails', async () => {
    const semaphore = new Semaphore(1);
    await expect(semaphore.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await semaphore.run(async () => 'next')).toBe('next');
  });

  test('whoever gives up waiting takes no place', async () => {
    const semaphore = new Semaphore(1);
    const [a, b] = [work(), work()];
    void semaphore.run(a.start);
    const leaving = new AbortController();
    const waiting = semaphore.run(b.start, { signal: leaving.signal });
    leaving.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    a.finish('');
    await turns();
    expect(b.started).toBe(false);
    expect(await semaphore.run(async () => 'free')).toBe('free');
    await expect(semaphore.run(b.start, { signal: leaving.signal })).rejects.toThrow('enough');
  });
});
