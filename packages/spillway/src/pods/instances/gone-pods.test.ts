import { describe, expect, it } from 'vitest';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { fakeClient } from '../testing/fake-client.ts';
import { testPod } from '../testing/objects.ts';
import { GonePods, type Presence } from './gone-pods.ts';

const pod = testPod();
const { signal } = new AbortController();

/** @param answers what is said each time when the server is asked whether it is the right cluster */
async function look(there: readonly object[], answers: readonly boolean[] = [true, true]): Promise<Presence> {
  const left = [...answers];
  const gonePods = new GonePods({
    client: fakeClient({ list: async () => ({ items: [...there] }) }),
    nodeName: 'virtual-kubelet',
    confirmCluster: async () => left.shift() ?? false,
  });
  return await gonePods.look(instanceRef(pod), signal);
}

describe('a pod that is believed to be gone', () => {
  it('is there when the API server has one with its UID', async () => {
    expect(await look([pod])).toBe('there');
  });

  it('is gone when there is none, or another one of its name', async () => {
    expect(await look([])).toBe('gone');
    expect(await look([testPod({ uid: 'uid-2' })])).toBe('gone');
  });

  it.each([
    ['all the time', [false, false]],
    ['until just before the answer', [false, true]],
    ['from just before the answer on', [true, false]],
  ])('may be there when another cluster answers %s', async (_, answers) => {
    expect(await look([], answers)).toBe('otherCluster');
  });
});
