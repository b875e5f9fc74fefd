import { ApiError, type KubeClient, type KubeObject, type ResourceType } from '@spillway/kube';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ClaimCopy } from '../../kubernetes/copies/copies.ts';
import type { CopyStore } from '../../kubernetes/copies/copy-store.ts';
import { trusted } from '../../trusted.ts';
import { copyName, copyOf } from './copies.ts';
import type { FileSystem } from './file-system.ts';
import { claimStores } from './stores.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const place = { owner, namespace: 'burst' };
const turbo: FileSystem = { service: 'sfs-turbo', id: 't1', location: 'h:/', folder: '', performance: false };
const name = copyName(owner, turbo);
const { signal } = new AbortController();

/** Claims and volumes of CCI, by kind and name, and the calls that came. */
class Cci {
  readonly objects = new Map<string, KubeObject & { status?: { phase: string } }>();
  readonly calls: string[] = [];
  offersVolumes = true;

  readonly client = trusted<KubeClient>({
    resource: (type: ResourceType<KubeObject>) => this.#resource(type),
    request: async ({ method, path, query = {}, body }: Parameters<KubeClient['request']>[0]) => {
      this.calls.push(`${method} ${path}?${new URLSearchParams(trusted<Record<string, string>>(query)).toString()}`);
      const object = trusted<KubeObject>(body);
      if (method === 'POST') this.#put('PersistentVolumeClaim', object);
      else this.objects.delete(`PersistentVolumeClaim/${path.split('/').at(-1)}`);
    },
  });

  store(version: 'v1' | 'v2'): CopyStore<ClaimCopy> {
    return claimStores[version](this.client, place);
  }

  #put(kind: string, object: KubeObject): void {
    const key = `${kind}/${object.metadata?.name}`;
    if (kind === 'PersistentVolume' && !this.offersVolumes)
      throw new ApiError('no', { status: 404, reason: 'NotFound' });
    if (this.objects.has(key)) throw new ApiError('there', { status: 409, reason: 'AlreadyExists' });
    this.objects.set(key, { ...object, metadata: { ...object.metadata, uid: key } });
  }

  #resource({ kind, apiVersion }: ResourceType<KubeObject>): object {
    const key = (ref: { name: string }): string => `${kind}/${ref.name}`;
    return {
      get: async (ref: { name: string }) => {
        const found = this.objects.get(key(ref));
        if (found === undefined) throw new ApiError('gone', { status: 404, reason: 'NotFound' });
        return found;
      },
      create: async (object: KubeObject) => {
        this.calls.push(`create ${apiVersion} ${kind}`);
        this.#put(kind, object);
      },
      delete: async (ref: { name: string }) => {
        this.calls.push(`delete ${apiVersion} ${kind}`);
        this.objects.delete(key(ref));
      },
      pages: async function* (this: void, _options: object) {
        yield { items: [...cci.objects].filter(([each]) => each.startsWith(`${kind}/`)).map(([, object]) => object) };
      },
    };
  }
}

let cci: Cci;
beforeEach(() => {
  cci = new Cci();
});

async function namesIn(store: CopyStore<ClaimCopy>): Promise<(string | undefined)[]> {
  const names: (string | undefined)[] = [];
  for await (const { metadata } of store.all({ signal })) names.push(metadata?.name);
  return names;
}

test.each(['v1', 'v2'] as const)('a claim can be used when it is bound (%s)', (version) => {
  const store = cci.store(version);
  const inPhase = (phase: string): boolean | undefined => store.isUsable?.({ metadata: { name }, status: { phase } });
  expect([inPhase('Pending'), inPhase('Bound')]).toEqual([false, true]);
});

describe('in CCI 1.0', () => {
  test('a file system is imported, and is there already when the answer was lost', async () => {
    const store = cci.store('v1');
    const copy = copyOf.v1(owner, turbo);
    await store.create(copy, { signal });
    await store.create(copy, { signal });
    expect(cci.calls[0]).toBe('POST /api/v1/namespaces/burst/extended-persistentvolumeclaims?');
    expect(await store.get(name, { signal })).toMatchObject({ metadata: { name } });
  });

  test('a claim is unbound, and never deleted in another way, for that would delete the file system', async () => {
    const store = cci.store('v1');
    await store.create(copyOf.v1(owner, turbo), { signal });
    const found = await store.get(name, { signal });
    await store.delete(found ?? {}, { signal });
    expect(cci.calls.slice(1)).toEqual([
      `DELETE /api/v1/namespaces/burst/persistentvolumeclaims/${name}?deleteVolume=false&delete_volume=false&storageType=nfs&storage_type=nfs`,
    ]);
    expect(cci.objects.size).toBe(0);
  });

  test('claims that others have made are neither seen nor touched, also when ours lost their labels', async () => {
    const store = cci.store('v1');
    const theirs = { metadata: { name: 'sfs-turbo-data', labels: copyOf.v1(owner, turbo).metadata?.labels ?? {} } };
    cci.objects.set('PersistentVolumeClaim/theirs', theirs);
    cci.objects.set('PersistentVolumeClaim/ours', { metadata: { name } });
    expect(await namesIn(store)).toEqual([name]);
    await store.delete(theirs, { signal });
    expect(cci.calls).toEqual([]);
  });
});

describe('in CCI 2.0', () => {
  const copy = copyOf.v2(owner, turbo);

  test('a claim is made, and a volume for it and no other', async () => {
    const store = cci.store('v2');
    await store.create(copy, { signal });
    expect(cci.calls).toEqual(['create cci/v2 PersistentVolumeClaim', 'create cci/v2 PersistentVolume']);
    expect(cci.objects.get(`PersistentVolumeClaim/${name}`)).not.toHaveProperty('volume');
    expect(cci.objects.get(`PersistentVolume/${name}`)).toMatchObject({
      spec: { claimRef: { namespace: 'burst', name }, persistentVolumeReclaimPolicy: 'Retain' },
    });
    expect(await store.get(name, { signal })).toMatchObject({ metadata: { name } });
    expect(await namesIn(store)).toEqual([name]);
  });

  test('what was half made is completed', async () => {
    const store = cci.store('v2');
    await store.create(copy, { signal });
    cci.objects.delete(`PersistentVolume/${name}`);
    expect(await store.get(name, { signal })).toBeUndefined();
    await store.create(copy, { signal });
    expect(await store.get(name, { signal })).toBeDefined();
  });

  test('a volume whose claim is gone is not used again, but removed and made anew', async () => {
    const store = cci.store('v2');
    await store.create(copy, { signal });
    cci.objects.delete(`PersistentVolumeClaim/${name}`);
    Object.assign(cci.objects.get(`PersistentVolume/${name}`) ?? {}, { status: { phase: 'Released' } });
    await expect(store.create(copy, { signal })).rejects.toMatchObject({ kind: 'unavailable' });
    await store.create(copy, { signal });
    expect(cci.objects.get(`PersistentVolume/${name}`)).not.toHaveProperty('status');
  });

  test('the volume is removed first, so that what is left of both is always seen by its claim', async () => {
    const store = cci.store('v2');
    await store.create(copy, { signal });
    const found = await store.get(name, { signal });
    await store.delete(found ?? {}, { signal });
    expect(cci.calls.slice(2)).toEqual(['delete cci/v2 PersistentVolume', 'delete cci/v2 PersistentVolumeClaim']);
  });

  test('a region without volumes says so', async () => {
    cci.offersVolumes = false;
    await expect(cci.store('v2').create(copy, { signal })).rejects.toMatchObject({
      kind: 'invalid',
      remedy: expect.stringContaining('apiVersion: v1'),
    });
  });
});
