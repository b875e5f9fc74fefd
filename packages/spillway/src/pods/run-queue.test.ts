import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { RunQueue } from './run-queue.ts';

describe('actors that are to take their next step', () => {
  it('take it once for several calls, in the order of the first', async () => {
    const steps: string[] = [];
    const queue = new RunQueue<{ step(): void }>(() => undefined);
    const a = { step: () => void steps.push('a') };
    const b = { step: () => void steps.push('b') };
    for (const actor of [a, b, a, a]) queue.add(actor);
    expect(queue.length).toBe(2);
    await setImmediate();
    expect(steps).toEqual(['a', 'b']);
  });

  it('may call for another one while they take it', async () => {
    let steps = 0;
    const queue = new RunQueue<{ step(): void }>(() => undefined);
    const actor = {
      step: () => {
        steps += 1;
        if (steps < 3) queue.add(actor);
      },
    };
    queue.add(actor);
    while (queue.length > 0) await setImmediate();
    expect(steps).toBe(3);
  });

  it('do not keep other work of the process waiting, however many they are', async () => {
    let steps = 0;
    const queue = new RunQueue<{ step(): void }>(() => undefined);
    for (let index = 0; index < 1000; index += 1) queue.add({ step: () => void (steps += 1) });
    await setImmediate();
    expect(steps).toBeGreaterThan(0);
    expect(steps).toBeLessThan(1000);
    while (queue.length > 0) await setImmediate();
    expect(steps).toBe(1000);
  });

  it('do not take each other down when one of them fails', async () => {
    const errors: unknown[] = [];
    let steps = 0;
    const queue = new RunQueue<{ step(): void }>((error) => void errors.push(error));
    queue.add({
      step: () => {
        throw new Error('defect');
      },
    });
    queue.add({ step: () => void (steps += 1) });
    await setImmediate();
    expect(steps).toBe(1);
    expect(errors).toHaveLength(1);
  });

  it('are left alone when they are taken out', async () => {
    let steps = 0;
    const queue = new RunQueue<{ step(): void }>(() => undefined);
    const actor = { step: () => void (steps += 1) };
    queue.add(actor);
    queue.delete(actor);
    queue.add(actor);
    queue.close();
    await setImmediate();
    expect(steps).toBe(0);
  });
});
