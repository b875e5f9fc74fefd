import { ApiError, type KubeClient, type Pod, type PodStatus, TransportError } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import type { StatusPatch } from './status-patch.ts';
import { StatusWriter } from './status-writer.ts';
import { podStatus } from './status.ts';
import { exited, startOfTime, testInstance, testPod } from '../testing/objects.ts';
import { bodyOf, fakeClient } from '../testing/fake-client.ts';
import { mergeStatus } from '../testing/strategic-merge.ts';

const statusOf = (pod: Pod, more: Parameters<typeof testInstance>[1] = {}, nowMs = startOfTime): PodStatus =>
  podStatus({
    pod,
    instance: testInstance(pod, more),
    over: false,
    ran: true,
    hostIPs: [],
    firstSeenMs: startOfTime,
    nowMs,
  });

interface Setup {
  readonly writer: StatusWriter;
  readonly cluster: Map<string, Pod>;
  /** What the informer has; updated by hand. */
  readonly known: Map<string, Pod>;
  readonly patches: StatusPatch[];
  readonly results: string[];
  readonly refused: string[];
  readonly stop: () => Promise<void>;
}

/** @param answer throws to refuse a patch */
function setUp(answer: (patch: StatusPatch, count: number) => void | Promise<void> = () => undefined): Setup {
  const cluster = new Map<string, Pod>();
  const known = new Map<string, Pod>();
  const patches: StatusPatch[] = [];
  const results: string[] = [];
  const refused: string[] = [];
  let version = 1;
  const client: Pick<KubeClient, 'resource'> = fakeClient({
    patch: async (_, ref, sent) => {
      const patch = bodyOf<StatusPatch>(sent);
      patches.push(patch);
      await answer(patch, patches.length);
      const pod = cluster.get(ref.name);
      if (pod === undefined) throw new ApiError('not found', { status: 404 });
      version += 1;
      const written = mergeStatus({ ...pod, metadata: { ...pod.metadata, resourceVersion: String(version) } }, patch);
      cluster.set(ref.name, written);
      return written;
    },
  });
  const writer = new StatusWriter({
    client,
    live: (uid) => known.get(uid),
    onRefused: (pod) => void refused.push(pod.metadata?.uid ?? ''),
    onWritten: (result) => void results.push(result),
  });
  const abort = new AbortController();
  const running = writer.run(abort.signal);
  const stop = async (): Promise<void> => {
    abort.abort();
    await running;
  };
  return { writer, cluster, known, patches, results, refused, stop };
}

function addPod(setup: Setup, pod: Pod = testPod({ metadata: { resourceVersion: '1' } })): Pod {
  setup.cluster.set(pod.metadata?.name ?? '', pod);
  setup.known.set(pod.metadata?.uid ?? '', pod);
  return pod;
}

const forever = new AbortController().signal;

describe('a status', () => {
  it('is written, and not again when nothing has changed', async () => {
    const setup = setUp();
    const pod = addPod(setup);
    setup.writer.write(pod, statusOf(pod));
    await setup.writer.flush(forever);
    // The watch has not told yet; our own answer is newer than what it has.
    setup.writer.write(pod, statusOf(setup.cluster.get('web-0') ?? pod));
    await setup.writer.flush(forever);
    expect(setup.patches).toHaveLength(1);
    expect(setup.cluster.get('web-0')?.status?.phase).toBe('Running');
    await setup.stop();
  });

  it('is compared with what the cluster has since, not with what we wrote', async () => {
    const setup = setUp();
    const pod = addPod(setup);
    setup.writer.write(pod, statusOf(pod));
    await setup.writer.flush(forever);
    const written = setup.cluster.get('web-0') ?? pod;
    const conditions = written.status?.conditions?.map((condition) => ({ ...condition, status: 'False' }));
    setup.known.set('uid-1', {
      ...written,
      metadata: { ...written.metadata, resourceVersion: '10' },
      status: { ...written.status, conditions: conditions ?? [] },
    });
    setup.writer.write(pod, statusOf(pod));
    await setup.writer.flush(forever);
    expect(setup.patches).toHaveLength(2);
    await setup.stop();
  });

  it('is left out when a newer one comes before its turn', async () => {
    const gate = Promise.withResolvers<void>();
    const setup = setUp((_, count) => (count === 1 ? gate.promise : undefined));
    const pod = addPod(setup);
    setup.writer.write(pod, statusOf(pod, { containerStatuses: [] }));
    await expect.poll(() => setup.patches.length).toBe(1);
    setup.writer.write(pod, statusOf(pod, { podIPs: ['10.1.0.8'] }));
    setup.writer.write(pod, statusOf(pod, { podIPs: ['10.1.0.9'] }));
    gate.resolve();
    await setup.writer.flush(forever);
    expect(setup.patches).toHaveLength(2);
    expect(setup.cluster.get('web-0')?.status?.podIP).toBe('10.1.0.9');
    await setup.stop();
  });

  it('that ends the pod is tried until the API server is back', async () => {
    const setup = setUp((_, count) => {
      if (count < 4) throw new TransportError('unreachable', 'no connection');
    });
    const pod = addPod(setup, testPod({ spec: { restartPolicy: 'Never' }, metadata: { resourceVersion: '1' } }));
    setup.writer.write(pod, statusOf(pod, { state: 'ended', containerStatuses: [exited('app', 7)] }));
    await setup.writer.flush(forever);
    expect(setup.results).toEqual(['failed', 'failed', 'failed', 'written']);
    expect(setup.cluster.get('web-0')?.status).toMatchObject({ phase: 'Failed' });
    await setup.stop();
  });

  it.each([
    [
      'another pod has the name',
      new ApiError('Pod "web-0" is invalid: metadata.uid: Invalid value: "uid-1": field is immutable', {
        status: 422,
        reason: 'Invalid',
        details: { causes: [{ field: 'metadata.uid' }] },
      }),
    ],
    ['the pod is gone', new ApiError('not found', { status: 404, reason: 'NotFound' })],
  ])(
    'is kept when the answer says that %s, for another cluster may have said it; the watch decides',
    async (_, error) => {
      const setup = setUp((_patch, count) => {
        if (count !== 2) throw error;
      });
      const pod = addPod(setup);
      setup.writer.write(pod, statusOf(pod));
      await setup.writer.flush(forever);
      expect(setup.results).toEqual(['failed', 'written']);
      setup.writer.write(pod, statusOf(pod, {}, startOfTime + 60_000));
      await expect.poll(() => setup.results.at(-1)).toBe('failed');
      setup.known.clear();
      await setup.writer.flush(forever);
      expect(setup.results.slice(2)).toEqual(['failed', 'gone']);
      expect(setup.refused).toEqual([]);
      expect(setup.writer.waiting).toBe(0);
      await setup.stop();
    },
  );

  it('that the API server calls invalid is reported, not sent again at once, and does not hold up the next', async () => {
    const setup = setUp((patch) => {
      if (patch.status['phase'] === 'Failed') return;
      throw new ApiError('status.containerStatuses: Forbidden: may not be restarted', {
        status: 422,
        reason: 'Invalid',
      });
    });
    const pod = addPod(setup, testPod({ spec: { restartPolicy: 'Never' }, metadata: { resourceVersion: '1' } }));
    setup.writer.write(pod, statusOf(pod));
    await expect.poll(() => setup.refused).toEqual(['uid-1']);
    // As every step of the pod does, whatever it is for; a second later, because of the times in it.
    setup.writer.write(pod, statusOf(pod, {}, startOfTime + 1000));
    setup.writer.write(pod, statusOf(pod, { state: 'ended', containerStatuses: [exited('app', 7)] }));
    await setup.writer.flush(forever);
    expect(setup.results).toEqual(['refused', 'written']);
    expect(setup.cluster.get('web-0')?.status?.phase).toBe('Failed');
    await setup.stop();
  });

  it('that ends the pod while an earlier one is tried again is written', async () => {
    const gate = Promise.withResolvers<void>();
    const setup = setUp((_, count) => {
      if (count === 1) throw new ApiError('overloaded', { status: 503 });
      return count === 2 ? gate.promise : undefined;
    });
    const pod = addPod(setup, testPod({ spec: { restartPolicy: 'Never' }, metadata: { resourceVersion: '1' } }));
    setup.writer.write(pod, statusOf(pod));
    await expect.poll(() => setup.patches.length).toBe(2);
    setup.writer.write(pod, statusOf(pod, { state: 'ended', containerStatuses: [exited('app', 7)] }));
    gate.resolve();
    await setup.writer.flush(forever);
    expect(setup.cluster.get('web-0')?.status?.phase).toBe('Failed');
    await setup.stop();
  });

  it('of a pod that is forgotten is not written any more', async () => {
    const setup = setUp(() => {
      throw new TransportError('unreachable', 'no connection');
    });
    const pod = addPod(setup);
    setup.writer.write(pod, statusOf(pod));
    await expect.poll(() => setup.results.length).toBe(1);
    setup.writer.forget('uid-1');
    await setup.writer.flush(forever);
    expect(setup.writer.waiting).toBe(0);
    await setup.stop();
  });

  it('does not hold up the end of the process for longer than it has', async () => {
    const setup = setUp(() => {
      throw new TransportError('unreachable', 'no connection');
    });
    const pod = addPod(setup);
    setup.writer.write(pod, statusOf(pod));
    await setup.writer.flush(AbortSignal.abort());
    await setup.stop();
    expect(setup.writer.waiting).toBe(1);
  });
});
