import { PassThrough, Readable, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { until } from '../testing/until.ts';
import { joinConnections } from './join.ts';

test('a slow reader gets all that came before the end, and only then hears of it', async () => {
  const events: string[] = [];
  let take: (() => void) | undefined;
  const slow = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, done) {
      events.push(String(chunk));
      take = done;
    },
  });
  const near = { port: 80, readable: new PassThrough(), writable: slow };
  const finish = (failure?: string): void => {
    events.push(`finished: ${failure}`);
    near.readable.destroy();
  };
  const far = { readable: Readable.from(['one', 'two', 'three']), writable: new PassThrough() };
  const joining = joinConnections({ ...near, finish }, { ...far, failure: Promise.resolve('too late') });
  for (const expected of ['one', 'two', 'three']) {
    await until(() => events.length > 0);
    expect(events.splice(0)).toEqual([expected]);
    take?.();
  }
  await joining;
  expect(events).toEqual(['finished: too late']);
});
