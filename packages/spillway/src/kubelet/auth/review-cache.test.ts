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
    isGood: (value) => !value.startsWith('bad'),
    goodMs: 100,
    badMs: 10,
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
    await ask('good');
    await ask('bad');
    clock.now = 9;
    await ask('bad');
    expect(asked).toEqual(['good', 'bad']);
    clock.now = 10;
    await ask('bad');
    await ask('good');
    expect(asked).toEqual(['good', 'bad', 'bad']);
    clock.now = 100;
    await ask('good');
    expect(asked).toEqual(['good', 'bad', 'bad', 'good']);
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

  test('that was good is not pushed out by bad ones, and tells later that it was good', async () => {
    const { cache: shared, clock, asked, ask } = cache(3);
    await ask('good');
    for (let i = 0; i < 10; i += 1) await ask(`bad ${i}`);
    expect(shared.size).toBe(4);
    asked.length = 0;
    await ask('good');
    expect(asked).toEqual([]);
    clock.now = 100;
    const known: boolean[] = [];
    const answers = ['bad now', 'bad still'];
    const again = (): Promise<string> =>
      shared.get('good', (was) => {
        known.push(was);
        return Promise.resolve(answers.shift() ?? '');
      });
    expect(await again()).toBe('bad now');
    clock.now = 110;
    expect(await again()).toBe('bad still');
    expect(known).toEqual([true, false]);
  });
});
