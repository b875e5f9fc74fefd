import { describe, expect, it } from 'vitest';
import { runTogether } from './task-group.ts';

const failing = (): Promise<void> => Promise.reject(new Error('defect'));

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

describe('tasks that run together', () => {
  it('all end when they are told to', async () => {
    const stop = new AbortController();
    const running = runTogether(stop.signal, [untilAborted, untilAborted]);
    stop.abort();
    await expect(running).resolves.toBeUndefined();
  });

  it('are all stopped, and waited for, when one fails', async () => {
    const ended: string[] = [];
    const other = async (signal: AbortSignal): Promise<void> => {
      await untilAborted(signal);
      ended.push('other');
    };
    await expect(runTogether(new AbortController().signal, [other, failing])).rejects.toThrow('defect');
    expect(ended).toEqual(['other']);
  });
});
