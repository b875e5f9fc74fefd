import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WaitingPods } from './waiting-pods.ts';

describe('pods that wait', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are woken together, in their order, once for all changes and no more often than the pace', () => {
    const woken: string[] = [];
    const waiting = new WaitingPods({ wake: (uid) => void woken.push(uid), paceMs: 500 });
    waiting.add('a', 'room');
    waiting.add('b', 'claim');
    waiting.add('a', 'blocked');
    expect(waiting.counts()).toEqual(
      new Map([
        ['blocked', 1],
        ['claim', 1],
      ]),
    );
    for (let times = 0; times < 3; times += 1) waiting.wakeAll();
    vi.advanceTimersByTime(1);
    expect(woken).toEqual(['a', 'b']);
    waiting.delete('a');
    waiting.wakeAll();
    vi.advanceTimersByTime(400);
    expect(woken).toEqual(['a', 'b']);
    vi.advanceTimersByTime(100);
    expect(woken).toEqual(['a', 'b', 'b']);
    waiting.stop();
  });
});
