import {
  ApiError,
  type KubeClient,
  type KubeObject,
  type Pod,
  type ResourceType,
  silentLogger,
  type WatchEvent,
} from '@spillway/kube';
import { expect, test } from 'vitest';
import { EventHub } from '../../event-hub.ts';
import { trusted } from '../../trusted.ts';
import { kubernetesDialect } from '../dialect.ts';
import { Instances } from './instances.ts';
import { podMarks } from './marks.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };

function podOf(uid: string): Pod {
  const { labels, annotations } = podMarks(owner, { uid, namespace: 'shop', name: uid });
  return {
    metadata: { name: uid, namespace: 'burst', uid: `there-${uid}`, resourceVersion: '1', labels, annotations },
    spec: { containers: [] },
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

test('an instance that a new list lacks is not told as gone, one whose deletion was seen is', async () => {
  const there = new OtherCluster();
  const hub = new EventHub();
  const ending = new AbortController();
  const told: string[] = [];
  const reading = (async () => {
    for await (const event of hub.watch(ending.signal)) {
      told.push(event.type === 'changed' ? event.instance.ref.uid : event.type === 'gone' ? event.ref.uid : event.type);
    }
  })();
  const options = { client: there.client(), dialect: kubernetesDialect, owner, namespace: 'burst', hub };
  const instances = new Instances({ ...options, logger: silentLogger });
  there.pods = [podOf('a'), podOf('b')];
  const running = instances.run(ending.signal);
  await expect.poll(() => told).toEqual(['a', 'b']);
  there.tell({ type: 'DELETED', object: podOf('a') });
  await expect.poll(() => told).toEqual(['a', 'b', 'a']);
  there.pods = [];
  there.forgetHistory();
  await expect.poll(() => told).toEqual(['a', 'b', 'a', 'gap']);
  ending.abort();
  await Promise.all([running, reading]);
});
