import { describe, expect, it } from 'vitest';
import { renewalTimeMs } from './token-renewal.ts';

describe('a token', () => {
  it('is renewed at 80 % of its life, or up to 5 % of it later', () => {
    expect(renewalTimeMs(1000, 3600, 0)).toBe(1000 + 2880_000);
    expect(renewalTimeMs(1000, 3600, 0.999)).toBeLessThan(1000 + 3060_000);
  });

  it('is never older than about a day', () => {
    expect(renewalTimeMs(0, 30 * 86_400, 0)).toBe(86_400_000);
  });
});
