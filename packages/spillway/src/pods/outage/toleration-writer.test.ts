import { ApiError, type Patch, type Pod } from '@spillway/kube';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeClient } from '../testing/fake-client.ts';
import { TestTiming } from '../testing/test-timing.ts';
import { usualTolerationSeconds } from './tolerated-outage.ts';
import { TolerationWriter } from './toleration-writer.ts';

const limited = (uid: string, tolerationSeconds = 300): Pod => ({
  metadata: { uid, namespace: 'default', name: uid },
  spec: {
    containers: [],
    tolerations: [
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds },
    ],
  },
});

describe('the writer of tolerations', () => {
  let timing: TestTiming;
  let live: Map<string, Pod>;
  let patched: string[];
  let failures: Error[];
  let errors: unknown[];
  let asked: number;
  let defaultsFail: Error | undefined;
  let wanted: (pod: Pod) => boolean;
  let writer: TolerationWriter;
  let stop: () => Promise<void>;

  beforeEach(() => {
    timing = new TestTiming(0);
    live = new Map();
    patched = [];
    failures = [];
    errors = [];
    asked = 0;
    defaultsFail = undefined;
    wanted = () => true;
    const patch = async (_: unknown, { name }: { name: string }, { type }: Patch): Promise<Pod> => {
      const failure = failures.shift();
      if (failure) throw failure;
      patched.push(`${type} ${name}`);
      return {};
    };
    writer = new TolerationWriter({
      client: fakeClient({ patch }),
      asked: (pod) => wanted(pod),
      live: (uid) => live.get(uid),
      defaults: async () => {
        asked += 1;
        if (defaultsFail) throw defaultsFail;
        return usualTolerationSeconds;
      },
      onError: (error) => errors.push(error),
      clock: timing,
    });
    const abort = new AbortController();
    const running = writer.run(abort.signal);
    stop = async () => {
      abort.abort();
      await running;
    };
  });
  afterEach(() => stop());

  const seen = (pod: Pod): void => {
    live.set(pod.metadata?.uid ?? '', pod);
    writer.seen(pod);
  };

  it('leaves a pod that did not ask for a virtual node as its author wrote it, until Spillway goes away', async () => {
    wanted = ({ metadata }) => metadata?.uid === 'burst';
    for (const uid of ['plain', 'burst']) seen(limited(uid));
    seen(limited('chosen', 60));
    await timing.advance(600_000);
    expect(patched).toEqual(['json burst']);
    live.set('burst', { metadata: { uid: 'burst' }, spec: { containers: [] } });
    await writer.outageBegins([...live.values()], new AbortController().signal);
    expect(patched).toEqual(['json burst', 'json plain']);
  });

  it('goes away without a further word when there is no time', async () => {
    wanted = () => false;
    seen(limited('plain'));
    await writer.outageBegins([...live.values()], AbortSignal.abort());
    expect(patched).toEqual([]);
  });

  it('asks for the defaults once, when the first pod has a limit', async () => {
    seen({ metadata: { uid: 'free' }, spec: { containers: [] } });
    await timing.advance(0);
    expect(asked).toBe(0);
    for (const uid of ['a', 'b', 'c']) seen(limited(uid));
    await timing.advance(0);
    expect(asked).toBe(1);
    expect(patched).toEqual(['json a', 'json b', 'json c']);
  });

  it('waits with the pods until the defaults are known', async () => {
    defaultsFail = new ApiError('no answer', { status: 503, reason: 'ServiceUnavailable' });
    seen(limited('a'));
    await timing.advance(10_000);
    expect(patched).toEqual([]);
    expect(errors.length).toBeGreaterThan(1);
    defaultsFail = undefined;
    await timing.advance(60_000);
    expect(patched).toEqual(['json a']);
  });

  it('leaves what the author has chosen', async () => {
    seen(limited('a', 60));
    await timing.advance(60_000);
    expect(patched).toEqual([]);
  });

  it('tries for ever while the pod is there, and no longer', async () => {
    const failure = new ApiError('no answer', { status: 503, reason: 'ServiceUnavailable' });
    failures = Array.from({ length: 8 }, () => failure);
    seen(limited('a'));
    await timing.advance(600_000);
    expect(patched).toEqual(['json a']);
    failures = [failure];
    seen(limited('b'));
    await timing.advance(0);
    live.delete('b');
    await timing.advance(600_000);
    expect(patched).toEqual(['json a']);
  });

  it('without the right to it asks about once a minute, however many pods there are', async () => {
    const failure = new ApiError('pods "a" is forbidden', { status: 403, reason: 'Forbidden' });
    failures = Array.from({ length: 1000 }, () => failure);
    for (let index = 0; index < 100; index += 1) seen(limited(`pod-${index}`));
    await timing.advance(600_000);
    expect(errors.length).toBeGreaterThan(1);
    expect(errors.length).toBeLessThanOrEqual(11);
  });

  it('says nothing of one refusal, which is that of a pod that the watch still shows as it was', async () => {
    failures = [new ApiError('the test failed', { status: 422, reason: 'Invalid' })];
    seen(limited('a'));
    await timing.advance(10_000);
    expect(errors).toEqual([]);
    expect(patched).toEqual(['json a']);
  });
});
