import { expect, test } from 'vitest';
import { takeTurn } from './turn.ts';

const turn = { contestant: 'kwok', pods: 1000, round: 2 } as const;

test('a contestant that fails is a result like others', async () => {
  const run = await takeTurn(turn, new AbortController().signal, async () => {
    throw new Error('gave up waiting for 100 pods');
  });
  expect(run).toEqual({ ...turn, failure: 'gave up waiting for 100 pods' });
});

test('Ctrl-C is nobody’s failure', async () => {
  const interrupted = new AbortController();
  const run = takeTurn(turn, interrupted.signal, async () => {
    interrupted.abort(new Error('interrupted by SIGINT'));
    throw new Error('fetch failed');
  });
  await expect(run).rejects.toThrow('interrupted by SIGINT');
});
