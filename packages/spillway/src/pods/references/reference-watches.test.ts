import { type KubeClient, type KubeObject, type ResourceType, silentLogger } from '@spillway/kube';
import { beforeEach, describe, expect, it } from 'vitest';
import { ReferenceWatches, type WatchedObject } from './reference-watches.ts';

interface Watch {
  readonly object: string;
  readonly send: (type: 'ADDED' | 'MODIFIED' | 'DELETED', version: string) => void;
}

/** An API server with single objects, each list and watch of which is counted. */
class Server {
  readonly versions = new Map<string, string>();
  readonly lists: string[] = [];
  readonly watches = new Set<Watch>();

  client(): Pick<KubeClient, 'resource'> {
    const resource = (type: ResourceType<KubeObject>): object => ({
      pages: (options: { namespace: string; fieldSelector: string }) => this.#pages(nameOf(type, options)),
      watch: (options: { namespace: string; fieldSelector: string; signal: AbortSignal }) =>
        this.#watch(nameOf(type, options), options.signal),
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an informer uses nothing else of it
    return { resource } as unknown as Pick<KubeClient, 'resource'>;
  }

  change(object: string, version: string | undefined): void {
    const type = version === undefined ? 'DELETED' : this.versions.has(object) ? 'MODIFIED' : 'ADDED';
    if (version === undefined) this.versions.delete(object);
    else this.versions.set(object, version);
    for (const watch of this.watches) if (watch.object === object) watch.send(type, version ?? '999');
  }

  get watched(): string[] {
    return Array.from(this.watches, ({ object }) => object).toSorted();
  }

  async *#pages(object: string): AsyncIterable<object> {
    this.lists.push(object);
    const version = this.versions.get(object);
    yield { metadata: { resourceVersion: '1' }, items: version === undefined ? [] : [objectOf(object, version)] };
  }

  async *#watch(object: string, signal: AbortSignal): AsyncIterable<object> {
    const events: object[] = [];
    let wake = Promise.withResolvers<void>();
    const watch: Watch = {
      object,
      send: (type, version) => {
        events.push({ type, object: objectOf(object, version) });
        wake.resolve();
      },
    };
    signal.addEventListener('abort', () => wake.resolve());
    this.watches.add(watch);
    try {
      while (!signal.aborted) {
        yield* events.splice(0);
        await wake.promise;
        wake = Promise.withResolvers();
      }
    } finally {
      this.watches.delete(watch);
    }
  }
}

const nameOf = (type: ResourceType<KubeObject>, options: { namespace: string; fieldSelector: string }): string =>
  `${type.plural} ${options.namespace} ${options.fieldSelector}`;

const objectOf = (object: string, resourceVersion: string): KubeObject => ({
  metadata: { name: object.split('=')[1] ?? '', namespace: 'default', uid: object, resourceVersion },
});

const settings = 'configmaps default metadata.name=settings';
const login = 'secrets default metadata.name=login';
const seenSettings = (seen?: string): WatchedObject => ({
  kind: 'configMap',
  namespace: 'default',
  name: 'settings',
  seen,
});
const seenLogin = (seen?: string): WatchedObject => ({ kind: 'secret', namespace: 'default', name: 'login', seen });

describe('references', () => {
  let server: Server;
  let changed: string[];
  let watches: ReferenceWatches;

  beforeEach(() => {
    server = new Server();
    changed = [];
    watches = new ReferenceWatches({
      client: server.client(),
      onChanged: (uid) => changed.push(uid),
      logger: silentLogger,
    });
    return () => watches.close();
  });

  it('are watched one by one, by name, and once however many pods share them', async () => {
    server.change(settings, '5');
    server.change(login, '6');
    watches.set('a', [seenSettings('5'), seenLogin('6')]);
    watches.set('b', [seenSettings('5')]);
    await expect.poll(() => server.watched).toEqual([settings, login]);
    expect(watches.size).toBe(2);
    server.change(settings, '7');
    await expect.poll(() => changed).toEqual(['a', 'b']);
    expect(server.lists).toHaveLength(2);
  });

  it('are watched until the last pod is gone', async () => {
    watches.set('a', [seenSettings(), seenLogin()]);
    watches.set('b', [seenSettings()]);
    await expect.poll(() => server.watched).toEqual([settings, login]);
    watches.release('a');
    watches.release('a');
    await expect.poll(() => server.watched).toEqual([settings]);
    watches.set('b', []);
    expect(watches.size).toBe(0);
    await watches.close();
    expect(server.watched).toEqual([]);
  });

  it('that stay referred to keep their watch', async () => {
    watches.set('a', [seenSettings()]);
    await expect.poll(() => server.watched).toEqual([settings]);
    watches.set('a', [seenSettings(), seenLogin()]);
    watches.set('a', [seenSettings()]);
    await expect.poll(() => server.watched).toEqual([settings]);
    expect(server.lists.filter((object) => object === settings)).toHaveLength(1);
  });

  it('that changed between the read and the watch are told, and what was seen is not', async () => {
    server.change(settings, '8');
    server.change(login, '9');
    watches.set('old', [seenSettings('7')]);
    watches.set('new', [seenSettings('8'), seenLogin('9')]);
    await expect.poll(() => server.watched).toEqual([settings, login]);
    expect(changed).toEqual(['old']);
    // Also when the watch has been there for long.
    watches.set('late', [seenSettings('6')]);
    expect(changed).toEqual(['old', 'late']);
  });

  it('that were missing and appear are told, and those that went, too', async () => {
    watches.set('waits', [seenLogin()]);
    watches.set('had', [seenSettings('3')]);
    await expect.poll(() => changed).toEqual(['had']);
    await expect.poll(() => server.watched).toEqual([settings, login]);
    server.change(login, '4');
    await expect.poll(() => changed).toEqual(['had', 'waits']);
    server.change(login, undefined);
    await expect.poll(() => changed).toEqual(['had', 'waits', 'waits']);
  });
});
