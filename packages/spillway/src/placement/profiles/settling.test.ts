import { expect, it } from 'vitest';
import { profileCounterAnnotation } from '../../podspec/contract.ts';
import { testPod } from '../testing/objects.ts';
import { Settling } from './settling.ts';

const gated = (uid: string, by?: string): ReturnType<typeof testPod> =>
  testPod({ uid, metadata: { annotations: by === undefined ? {} : { [profileCounterAnnotation]: by } } });
const never = new AbortController().signal;

function begin(...uids: readonly string[]): { settling: Settling; settled: () => number } {
  let times = 0;
  const settling = new Settling({ identity: 'me', onSettled: () => (times += 1) });
  expect(settling.isSettled).toBe(false);
  settling.begin(uids.map((uid) => gated(uid)));
  return { settling, settled: () => times };
}

it('places are given at once when no pod waits at the beginning', () => {
  expect(begin().settled()).toBe(1);
});

it('places are given when each pod that waited is seen with the mark, without its gate, or gone', () => {
  const { settling, settled } = begin('a', 'b', 'c');
  settling.podSeen(gated('a'), true);
  settling.podSeen(gated('a', 'another'), true);
  settling.podSeen(gated('b'), false);
  settling.podGone(gated('c'));
  settling.podSeen(gated('came-later'), true);
  expect(settled()).toBe(0);
  settling.podSeen(gated('a', 'me'), true);
  expect([settled(), settling.isSettled]).toEqual([1, true]);
});

it('a pod that cannot be marked holds up the others for a minute', async () => {
  const { settling, settled } = begin('a');
  const slept: number[] = [];
  await settling.giveUpLater({ sleep: async (ms) => void slept.push(ms) }, never);
  expect([slept, settled()]).toEqual([[60_000], 1]);
});
