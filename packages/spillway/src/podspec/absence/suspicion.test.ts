import { describe, expect, it } from 'vitest';
import { Suspicion } from './suspicion.ts';

const minute = 60_000;
const suspicion = (): Suspicion => new Suspicion({ suspicionMs: 10 * minute });

describe('a listing that would have consequences', () => {
  it('for few, or for no more than the allowed part, is believed', () => {
    expect(suspicion().observe(0, 3, 3)).toBeUndefined();
    expect(suspicion().observe(0, 4, 4)).toBeDefined();
    expect(suspicion().observe(0, 5, 10)).toBeUndefined();
  });

  it('for most is not believed until listings have said so for ten minutes', () => {
    const doubt = suspicion();
    for (let at = 0; at < 10; at += 1) {
      expect(doubt.observe(at * minute, 6, 10)).toEqual({
        candidates: 6,
        total: 10,
        remainingMs: (10 - at) * minute,
      });
    }
    expect(doubt.observe(10 * minute, 6, 10)).toBeUndefined();
    expect(doubt.observe(11 * minute, 6, 10)).toBeUndefined();
  });

  it('for most is not believed because the one before said so, and then nobody could look for an hour', () => {
    const doubt = suspicion();
    expect(doubt.observe(0, 50, 50)).toBeDefined();
    expect(doubt.observe(60 * minute, 50, 50)).toBeDefined();
    expect(doubt.observe(120 * minute, 50, 50)).toBeDefined();
  });

  it('for most is doubted anew when one in between said something else', () => {
    const doubt = suspicion();
    for (let at = 0; at < 10; at += 1) doubt.observe(at * minute, 10, 10);
    expect(doubt.observe(10 * minute, 0, 10)).toBeUndefined();
    expect(doubt.observe(11 * minute, 10, 10)).toMatchObject({ remainingMs: 10 * minute });
  });
});
