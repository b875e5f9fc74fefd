import {
  ApiError,
  type ConfigMap,
  type KubeObject,
  nameOf,
  type Pod,
  type ResourceType,
  type Secret,
} from '@spillway/kube';
import { beforeEach, describe, expect, test } from 'vitest';
import { trusted } from '../../trusted.ts';
import { type ClaimCopy, type Copies, copiesOf, copyNamesOf } from './copies.ts';
import { CopyKeeper, type CopyKeeperOptions } from './copy-keeper.ts';
import { type ClaimBinding, kubernetesDialect } from '../dialect.ts';
import { copyMarks } from '../pods/marks.ts';
import type { CopyStore } from './copy-store.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const { signal } = new AbortController();

/** Secrets and ConfigMaps of the other cluster, by kind and name. */
class OtherCluster {
  readonly objects = new Map<string, KubeObject>();
  pods: Pod[] = [];
  nowMs = 0;
  /** How long a list of pods takes. */
  listMs = 0;
  /** Kinds that cannot be listed. */
  readonly unlisted = new Set<string>();

  keeper(claims: ClaimBinding = kubernetesDialect.claims): CopyKeeper {
    const client = trusted<CopyKeeperOptions['client']>({
      resource: (type: ResourceType<KubeObject>) => this.#resource(type),
    });
    return new CopyKeeper({
      client,
      dialect: { ...kubernetesDialect, claims },
      owner,
      namespace: 'burst',
      pods: async () => {
        await Promise.resolve();
        this.nowMs += this.listMs;
        return this.pods;
      },
      clock: { now: () => this.nowMs, sleep: async (ms) => void (this.nowMs += ms) },
    });
  }

  use(copies: Copies): void {
    const secretVolumes = copies.secrets.map((each) => ({ name: 'v', secret: { secretName: nameOf(each) } }));
    const claimVolumes = copies.claims.map((each) => ({
      name: 'c',
      persistentVolumeClaim: { claimName: nameOf(each) },
    }));
    this.pods.push({ spec: { containers: [], volumes: [...secretVolumes, ...claimVolumes] } });
  }

  /** Spillway asks its pods to go, and they do. */
  async end(keeper: CopyKeeper): Promise<void> {
    keeper.release(this.pods);
    this.pods = [];
    await keeper.tidy(signal);
  }

  /** As the regular listings do. */
  async listFor(keeper: CopyKeeper, seconds: number): Promise<void> {
    for (let passed = 0; passed <= seconds; passed += 60) {
      await keeper.removeUnused(Promise.resolve(this.pods), signal);
      this.nowMs += 60_000;
    }
  }

  #resource({ kind }: ResourceType<KubeObject>): object {
    const key = (object: KubeObject): string => `${kind}/${nameOf(object)}`;
    const put = async (object: KubeObject): Promise<void> => void this.objects.set(key(object), object);
    const { objects, unlisted } = this;
    return {
      get: async ({ name }: { name: string }) => {
        const found = objects.get(`${kind}/${name}`);
        if (found === undefined) throw new ApiError('not found', { status: 404 });
        return found;
      },
      create: put,
      replace: put,
      delete: async ({ name }: { name: string }) => void objects.delete(`${kind}/${name}`),
      async *pages() {
        if (unlisted.has(kind)) throw new ApiError('no', { status: 403 });
        yield { items: [...objects].filter(([each]) => each.startsWith(`${kind}/`)).map(([, object]) => object) };
      },
    };
  }
}

function copiesWith(password: string, version = '1', name = 'login'): Copies {
  const login: Secret = { metadata: { resourceVersion: version }, data: { password } };
  const settings: ConfigMap = { data: { colour: 'blue' } };
  const objects = { configMaps: new Map([['settings', settings]]), secrets: new Map([[name, login]]) };
  const shared = copiesOf({ configMaps: [], secrets: [name] }, objects, { owner, from: 'shop', to: 'burst' });
  return { ...shared, claims: [] };
}

/** Copies of twenty Secrets, each with a pod. */
async function twentyCopies(): Promise<OtherCluster> {
  const there = new OtherCluster();
  for (let index = 0; index < 20; index += 1) {
    const copies = copiesWith('a', '1', `login-${index}`);
    await there.keeper().bring(copies, { signal });
    there.use(copies);
  }
  return there;
}

describe('copies', () => {
  test('are there before the pod that uses them, and are removed after it', async () => {
    const there = new OtherCluster();
    const keeper = there.keeper();
    const copies = copiesWith('a');
    await keeper.with(
      copies,
      async () => {
        expect(there.objects.size).toBe(1);
        there.use(copies);
      },
      { signal },
    );
    await keeper.tidy(signal);
    expect([...there.objects.values()]).toMatchObject([{ data: { password: 'a' } }]);
    await there.end(keeper);
    expect(there.objects.size).toBe(0);
  });

  test('of a pod that is being created are not taken for unused', async () => {
    const there = new OtherCluster();
    const keeper = there.keeper();
    const copies = copiesWith('a');
    await keeper.with(copies, () => keeper.tidy(signal), { signal });
    expect(there.objects.size).toBe(1);
  });

  test('are not taken for unused by a listing that began before the pod was created', async () => {
    const there = new OtherCluster();
    const keeper = there.keeper();
    const copies = copiesWith('a');
    const tidying: Promise<void>[] = [];
    await keeper.with(
      copies,
      async () => {
        // It lists no pod yet; then there is one.
        tidying.push(keeper.tidy(signal));
        there.pods = [...there.pods];
        there.use(copies);
      },
      { signal },
    );
    await Promise.all(tidying);
    expect(there.objects.size).toBe(1);
  });

  test('are not taken for unused when a listing that has the pod overtakes one that cannot have it', async () => {
    const there = new OtherCluster();
    const keeper = there.keeper();
    const copies = copiesWith('a');
    const slow = Promise.withResolvers<Pod[]>();
    const first = keeper.removeUnused(slow.promise, signal);
    await keeper.with(copies, async () => there.use(copies), { signal });
    await keeper.tidy(signal);
    slow.resolve([]);
    await first;
    expect(there.objects.size).toBe(1);
    await there.end(keeper);
    expect(there.objects.size).toBe(0);
  });

  test('stay when the listing fails', async () => {
    const there = new OtherCluster();
    const keeper = there.keeper();
    await keeper.bring(copiesWith('a'), { signal });
    await keeper.removeUnused(Promise.resolve(undefined), signal);
    expect(there.objects.size).toBe(1);
  });

  test('stay when one listing shows no pods, or some do', async () => {
    const there = await twentyCopies();
    const { pods } = there;
    const keeper = there.keeper();
    there.pods = [];
    await there.listFor(keeper, 0);
    expect(there.objects.size).toBe(20);
    await there.listFor(keeper, 300);
    there.pods = pods;
    await there.listFor(keeper, 60);
    expect(there.objects.size).toBe(20);
  });

  test('stay for ten minutes when all pods are gone that nobody asked to go, and are removed then', async () => {
    const there = await twentyCopies();
    const keeper = there.keeper();
    there.pods = [];
    await there.listFor(keeper, 600);
    expect(there.objects.size).toBe(20);
    await there.listFor(keeper, 120);
    expect(there.objects.size).toBe(0);
  });

  test('of twenty pods that were asked to go are removed at once', async () => {
    const there = await twentyCopies();
    const keeper = there.keeper();
    await there.listFor(keeper, 60);
    keeper.release(there.pods);
    // Each has its grace, and is listed meanwhile.
    there.pods = there.pods.map((pod) => ({ ...pod, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }));
    await there.listFor(keeper, 0);
    there.pods = [];
    await keeper.tidy(signal);
    expect(there.objects.size).toBe(0);
  });

  test('of pods that were asked to go are removed, however long a listing takes', async () => {
    const there = await twentyCopies();
    const keeper = there.keeper();
    there.listMs = 5000;
    await there.end(keeper);
    expect(there.objects.size).toBe(0);
  });

  test('of pods that were asked to go are removed, though a listing from before still shows the pods', async () => {
    const there = await twentyCopies();
    const keeper = there.keeper();
    const before = Promise.withResolvers<readonly Pod[]>();
    const listed = keeper.removeUnused(before.promise, signal);
    const { pods } = there;
    keeper.release(pods);
    there.pods = [];
    before.resolve(pods);
    await listed;
    await keeper.tidy(signal);
    expect(there.objects.size).toBe(0);
  });

  test('of pods that ended by themselves are removed by the second listing that does not have them', async () => {
    const there = await twentyCopies();
    const keeper = there.keeper();
    there.pods.splice(0, 5);
    await there.listFor(keeper, 0);
    expect(there.objects.size).toBe(20);
    await there.listFor(keeper, 0);
    expect(there.objects.size).toBe(15);
  });

  test('of a kind that cannot be listed keep no others from being removed', async () => {
    const there = await twentyCopies();
    there.unlisted.add('ConfigMap');
    const keeper = there.keeper();
    keeper.release(there.pods);
    there.pods = [];
    await expect(keeper.removeUnused(Promise.resolve([]), signal)).rejects.toThrow('no');
    there.nowMs += 60_000;
    await expect(keeper.removeUnused(Promise.resolve([]), signal)).rejects.toThrow('no');
    expect(there.objects.size).toBe(0);
  });

  test('of a pod whose creation failed are removed', async () => {
    const there = new OtherCluster();
    const keeper = there.keeper();
    const failing = keeper.with(copiesWith('a'), () => Promise.reject(new Error('quota')), { signal });
    await expect(failing).rejects.toThrow('quota');
    await keeper.tidy(signal);
    expect(there.objects.size).toBe(0);
  });

  test('of what is gone at its source are removed, and nothing else of their name is', async () => {
    const there = new OtherCluster();
    const keeper = there.keeper();
    await keeper.bring(copiesWith('a'), { signal });
    await keeper.bring(copiesWith('b', '1', 'other'), { signal });
    const names = copyNamesOf({ configMaps: ['settings'], secrets: ['login'] }, { owner, from: 'shop' });
    const theirs: ConfigMap = { kind: 'ConfigMap', metadata: { namespace: 'burst', name: names.configMaps[0] ?? '' } };
    there.objects.set(`ConfigMap/${nameOf(theirs)}`, theirs);
    await keeper.drop(names, { signal });
    expect([...there.objects.values()]).toMatchObject([{ data: { password: 'b' } }, theirs]);
  });

  test('follow their source, and never go back', async () => {
    const there = new OtherCluster();
    const keeper = there.keeper();
    await keeper.bring(copiesWith('a', '9'), { signal });
    await keeper.bring(copiesWith('b', '10'), { signal });
    await keeper.bring(copiesWith('a', '9'), { signal });
    expect([...there.objects.values()]).toMatchObject([{ data: { password: 'b' } }]);
  });
});

describe('storage of claims', () => {
  const copies: Copies = {
    configMaps: [],
    secrets: [],
    claims: [{ metadata: { name: 'sfs-1', labels: { ...copyMarks(owner).labels } } }],
  };
  let there: OtherCluster;
  let bound: Map<string, ClaimCopy>;
  let binding: ClaimBinding;
  /** When a claim that was made is bound. */
  let boundAtMs: number;

  beforeEach(() => {
    there = new OtherCluster();
    bound = new Map();
    boundAtMs = 0;
    const store: CopyStore<ClaimCopy> = {
      kind: 'PersistentVolumeClaim',
      get: async (name) => bound.get(name),
      create: async (wanted) => void bound.set(nameOf(wanted), wanted),
      isUsable: () => there.nowMs >= boundAtMs,
      replace: () => Promise.reject(new Error('storage is never replaced')),
      delete: async (found) => void bound.delete(nameOf(found)),
      async *all() {
        yield* bound.values();
      },
    };
    binding = { mountOf: () => undefined, store: () => store };
  });

  test('is bound before the first pod that uses it, and unbound after the last', async () => {
    const keeper = there.keeper(binding);
    for (const _ of ['one', 'two']) await keeper.with(copies, async () => there.use(copies), { signal });
    expect([...bound.keys()]).toEqual(['sfs-1']);
    const [first, ...others] = there.pods;
    keeper.release(first ? [first] : []);
    there.pods = others;
    await there.listFor(keeper, 120);
    expect(bound.size).toBe(1);
    await there.end(keeper);
    expect(bound.size).toBe(0);
  });

  test.each([
    ['there when the claim is bound', 1000, 1000],
    ['there in the end, and waits itself, when the claim is not bound', 60_000, 5000],
  ])('a pod that uses it is %s', async (_, boundMs, createdMs) => {
    boundAtMs = boundMs;
    const keeper = there.keeper(binding);
    await keeper.with(copies, async () => there.use(copies), { signal });
    expect(there.nowMs).toBe(createdMs);
    // The next one does not wait again.
    await keeper.with(copies, async () => there.use(copies), { signal });
    expect([there.nowMs, there.pods.length]).toEqual([createdMs, 2]);
  });

  test('that is still being unbound is not used again before it is gone', async () => {
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    bound.set('sfs-1', { metadata: { name: 'sfs-1', deletionTimestamp } });
    const keeper = there.keeper(binding);
    await expect(keeper.with(copies, async () => there.use(copies), { signal })).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('still being removed'),
    });
    expect(there.pods).toEqual([]);
  });
});
