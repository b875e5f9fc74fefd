import {
  ApiError,
  type KubeClient,
  type KubeObject,
  type Pod,
  type ResourceType,
  silentLogger,
  type WatchEvent,
} from '@spillway/kube';
import { expect, onTestFinished, test } from 'vitest';
import type { InstanceEvent } from '../../backend.ts';
import { EventHub } from '../../event-hub.ts';
import { trusted } from '../../trusted.ts';
import { kubernetesDialect } from '../dialect.ts';
import { Instances } from './instances.ts';
import { podMarks } from './marks.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };

function podOf(uid: string, more: Pod['metadata'] = {}, runs = false): Pod {
  const { labels, annotations } = podMarks(owner, { uid, namespace: 'shop', name: uid });
  const named = { name: uid, namespace: 'burst', uid: `there-${uid}`, resourceVersion: '1', labels, annotations };
  const main = { name: 'main', image: '', imageID: '', ready: true, restartCount: 0, state: { running: {} } };
  return {
    metadata: { ...named, ...more },
    spec: { containers: [{ name: 'main' }] },
    status: runs ? { phase: 'Running', containerStatuses: [main] } : { phase: 'Pending' },
  };
}

/** The pods of the other cluster, and what its watch tells next. */
class OtherCluster {
  pods: Pod[] = [];
  #next = Promise.withResolvers<WatchEvent<Pod>>();

  tell(event: WatchEvent<Pod>): void {
    this.#next.resolve(event);
  }

  /** Who watches has to list again. */
  forgetHistory(): void {
    this.#next.reject(new ApiError('too old', { status: 410, reason: 'Expired' }));
  }

  client(): KubeClient {
    return trusted<KubeClient>({ resource: (type: ResourceType<KubeObject>) => this.#resource(type) });
  }

  #resource({ kind }: ResourceType<KubeObject>): object {
    const items = (): KubeObject[] => (kind === 'Pod' ? this.pods : []);
    const next = (): Promise<WatchEvent<KubeObject>> => this.#next.promise;
    const renew = (): void => void (this.#next = Promise.withResolvers());
    return {
      async *pages() {
        yield { metadata: { resourceVersion: '1' }, items: items() };
      },
      async *watch({ signal, sendInitialEvents }: { signal: AbortSignal; sendInitialEvents?: boolean }) {
        if (sendInitialEvents) throw new ApiError('no streamed lists', { status: 422, reason: 'Invalid' });
        const ended = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        if (kind !== 'Pod') await ended;
        try {
          yield await Promise.race([next(), ended]);
        } finally {
          renew();
        }
      },
    };
  }
}

interface Seen {
  readonly there: OtherCluster;
  readonly instances: Instances;
  /** What was told, in short. */
  readonly told: string[];
}

function inShort(event: InstanceEvent): string {
  if (event.type === 'changed') return `${event.instance.ref.uid} ${event.instance.state}`;
  return event.type === 'gone' ? `${event.ref.uid} gone` : event.type;
}

/** Until the end of the test. */
function follow(pods: Pod[]): Seen {
  const there = new OtherCluster();
  there.pods = pods;
  const hub = new EventHub();
  const ending = new AbortController();
  const told: string[] = [];
  const reading = (async () => {
    for await (const event of hub.watch(ending.signal)) told.push(inShort(event));
  })();
  const options = { client: there.client(), dialect: kubernetesDialect, owner, namespace: 'burst', hub };
  const instances = new Instances({ ...options, logger: silentLogger });
  const running = instances.run(ending.signal);
  onTestFinished(async () => {
    ending.abort();
    await Promise.all([running, reading]);
  });
  return { there, instances, told };
}

test('an instance that a new list lacks is not told as gone, one whose deletion was seen is', async () => {
  const { there, told } = follow([podOf('a'), podOf('b')]);
  await expect.poll(() => told).toEqual(['a starting', 'b starting']);
  there.tell({ type: 'DELETED', object: podOf('a') });
  await expect.poll(() => told.slice(2)).toEqual(['a gone']);
  there.pods = [];
  there.forgetHistory();
  await expect.poll(() => told.slice(3)).toEqual(['gap']);
});

test('who waits for a pod hears of that pod alone, once', async () => {
  const { there, instances, told } = follow([podOf('a'), podOf('b')]);
  await expect.poll(() => told).toHaveLength(2);
  const looks: Record<string, number> = { a: 0, b: 0 };
  const isGone = (uid: string): Promise<void> =>
    instances.seen(
      uid,
      (last) => {
        looks[uid] = (looks[uid] ?? 0) + 1;
        return last === undefined;
      },
      new AbortController().signal,
    );
  const waiting = isGone('a');
  void isGone('b');
  there.tell({ type: 'MODIFIED', object: podOf('a', { resourceVersion: '2' }) });
  await expect.poll(() => looks).toEqual({ a: 2, b: 1 });
  there.tell({ type: 'DELETED', object: podOf('a') });
  await waiting;
  expect(looks).toEqual({ a: 3, b: 1 });
});

test('a pod of which nothing is known yet does not count as gone', async () => {
  const { instances } = follow([podOf('a')]);
  const seen: (string | undefined)[] = [];
  const stop = new AbortController();
  const look = (last: Pod | undefined): boolean => {
    seen.push(last?.metadata?.name);
    return last === undefined;
  };
  const waiting = instances.seen('a', look, stop.signal);
  await expect.poll(() => seen).toEqual(['a', 'a']);
  stop.abort();
  await waiting;
});

test('of two pods with one UID one is told, whichever changes, and a listing is asked for', async () => {
  const runs = podOf('a', { creationTimestamp: '2026-01-01T00:00:00Z' }, true);
  const { there, instances, told } = follow([runs]);
  await expect.poll(() => told).toEqual(['a running']);
  const second = podOf('a', { name: 'second', uid: 'there-second', creationTimestamp: '2025-01-01T00:00:00Z' });
  there.tell({ type: 'ADDED', object: second });
  await expect.poll(() => told.slice(1)).toEqual(['a running', 'gap']);
  expect(instances.lastSeen('a')).toBe(runs);
  const { listing, doubles } = instances.listing([second, runs, podOf('b')]);
  expect(listing.instances.map(({ ref, state }) => `${ref.uid} ${state}`)).toEqual(['a running', 'b starting']);
  expect(doubles).toEqual([{ ref: { uid: 'a', namespace: 'shop', name: 'a' }, pod: second, kept: 'a' }]);
  // The other one is there all the time.
  there.tell({ type: 'DELETED', object: second });
  await expect.poll(() => told.slice(3)).toEqual(['a running']);
});
