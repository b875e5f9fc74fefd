import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Blockade } from './blockade.ts';

function setUp(): { blockade: Blockade; changes: (string | undefined)[] } {
  const changes: (string | undefined)[] = [];
  const blockade: Blockade = new Blockade({ onChange: () => void changes.push(blockade.blocked?.reason) });
  return { blockade, changes };
}

describe('a pool', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is closed by a refusal, and told once', () => {
    const { blockade, changes } = setUp();
    blockade.refused('soldOut', 'no room');
    blockade.refused('soldOut', 'still no room');
    expect(changes).toEqual(['SoldOut']);
    expect(blockade.blocked).toEqual({ reason: 'SoldOut', message: 'still no room' });
  });

  it('is open again when the backend takes a pod', () => {
    const { blockade, changes } = setUp();
    blockade.accepted();
    blockade.refused('quota', 'too many');
    blockade.accepted();
    expect(changes).toEqual(['QuotaExceeded', undefined]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is open again when nobody was refused for a while, so that the next pod may try', () => {
    const { blockade } = setUp();
    blockade.refused('blocked', 'arrears');
    vi.advanceTimersByTime(299_000);
    blockade.refused('blocked', 'arrears');
    vi.advanceTimersByTime(299_000);
    expect(blockade.blocked).toBeDefined();
    vi.advanceTimersByTime(1000);
    expect(blockade.blocked).toBeUndefined();
  });
});
