import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { withLock } from './lock.ts';

const key = `test ${process.pid}`;

test('of many that want the same, one works at a time, and all get their turn', async () => {
  let working = 0;
  let most = 0;
  let turns = 0;
  const work = async (): Promise<void> => {
    working += 1;
    most = Math.max(most, working);
    await nextTurn();
    turns += 1;
    working -= 1;
  };
  await Promise.all(Array.from({ length: 12 }, () => withLock(key, work)));
  expect({ most, turns }).toEqual({ most: 1, turns: 12 });
});

test('different keys do not wait for each other', async () => {
  const inner = withLock(`${key} a`, () => withLock(`${key} b`, async () => 'both'));
  await expect(inner).resolves.toBe('both');
});

test('the lock of a failed piece of work is free again', async () => {
  await expect(withLock(key, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(withLock(key, async () => 'next')).resolves.toBe('next');
});

test('the lock of a process that was killed is free again', async () => {
  const module = fileURLToPath(new URL('lock.ts', import.meta.url));
  const script = `import { withLock } from ${JSON.stringify(module)};
    await withLock(${JSON.stringify(key)}, () => { console.log('held'); setInterval(() => {}, 1000); return new Promise(() => {}); });`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  const waiting = new Promise<void>((resolve) => {
    void withLock(
      key,
      async () => resolve(),
      () => holder.kill('SIGKILL'),
    );
  });
  await expect(waiting).resolves.toBeUndefined();
});
