import { describe, expect, test } from 'vitest';
import { ReviewCache } from './review-cache.ts';

function cache(maxEntries = 10): {
  cache: ReviewCache<string>;
  clock: { now: number };
  asked: string[];
  ask: (key: string) => Promise<string>;
} {
  const clock = { now: 0 };
  const asked: string[] = [];
  const made = new ReviewCache<string>({
    maxEntries,
    now: () => clock.now,
    ttlMs: (value) => (value === 'short' ? 10 : 100),
  });
  const ask = (key: string): Promise<string> =>
    made.get(key, () => {
      asked.push(key);
      return Promise.resolve(key);
    });
  return { cache: made, clock, asked, ask };
}

describe('an answer', () => {
  test('holds for its time and is asked for again then', async () => {
    const { clock, asked, ask } = cache();
    await ask('long');
    await ask('short');
    clock.now = 9;
    await ask('short');
    expect(asked).toEqual(['long', 'short']);
    clock.now = 10;
    await ask('short');
    await ask('long');
    expect(asked).toEqual(['long', 'short', 'short']);
    clock.now = 100;
    await ask('long');
    expect(asked).toEqual(['long', 'short', 'short', 'long']);
  });

  test('is waited for together by all who ask at the same time', async () => {
    const { cache: shared } = cache();
    const answer = Promise.withResolvers<string>();
    let asked = 0;
    const ask = (): Promise<string> =>
      shared.get('a', () => {
        asked += 1;
        return answer.promise;
      });
    const waiting = [ask(), ask(), ask()];
    answer.resolve('yes');
    expect(await Promise.all(waiting)).toEqual(['yes', 'yes', 'yes']);
    expect(asked).toBe(1);
  });

  test('that failed is not remembered', async () => {
    const { cache: shared, asked, ask } = cache();
    await expect(shared.get('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await ask('a')).toBe('a');
    expect(asked).toEqual(['a']);
  });

  test('makes room for others when it was not used for the longest time', async () => {
    const { cache: shared, asked, ask } = cache(3);
    for (const key of ['a', 'b', 'c', 'a', 'd']) await ask(key);
    expect(shared.size).toBe(3);
    asked.length = 0;
    for (const key of ['a', 'c', 'd']) await ask(key);
    expect(asked).toEqual([]);
    await ask('b');
    expect(asked).toEqual(['b']);
  });
});
