import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@spillway/kube';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../json.ts';
import type { Share } from './shares.ts';
import { Storage, type Stored } from './storage.ts';
import { ControlPlane } from './testing/control-plane.ts';
import { shownVolume } from './volumes.ts';

const identity = {
  domain: { id: 'd1', name: 'domain' },
  project: { id: 'p1', name: 'project' },
  user: { id: 'u1', name: 'user' },
};

let dir: string;
let there: ControlPlane;
let storage: Storage;
let stop: () => Promise<unknown>;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'storage-'));
  there = new ControlPlane();
  storage = new Storage({ client: there.client, clock: systemClock, dir, region: 'cn-north-4' });
  const stopping = new AbortController();
  const running = storage.run(stopping.signal);
  stop = () => {
    stopping.abort();
    return running;
  };
  await storage.synced;
});
afterEach(async () => {
  await stop();
  await rm(dir, { recursive: true });
});

const route = { groupVersion: 'v1', resource: 'extended-persistentvolumeclaims', namespace: 'shop' };

const claimOf = (name: string, { id, exportLocation }: Share, storageClassName = 'nfs-rw'): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    name,
    namespace: 'shop',
    labels: { mine: 'yes' },
    annotations: { note: 'x', fsType: 'nfs', volumeID: id, deviceMountPath: exportLocation },
  },
  spec: { resources: { requests: { storage: '10Gi' } }, storageClassName },
});

function bodyOf(stored: Stored): JsonObject {
  if ('refusal' in stored) throw new Error(stored.refusal.message);
  return stored.body;
}

/** With a file in it. */
async function shareWithData(kind: Share['kind'] = 'sfs'): Promise<Share> {
  const share = await storage.create(kind, 'p1');
  await writeFile(join(share.folder, 'data'), 'x');
  return share;
}

async function imported(name: string, share: Share): Promise<JsonObject> {
  const body = bodyOf(await storage.imported({ body: claimOf(name, share), identity, route }));
  there.make('PersistentVolumeClaim', body);
  await expect.poll(() => there.claim(name)?.status?.phase).toBe('Bound');
  return body;
}

const hasData = ({ folder }: Share): Promise<boolean> =>
  access(join(folder, 'data')).then(
    () => true,
    () => false,
  );
const historyOf = (share: Share): unknown => storage.read().find(({ id }) => id === share.id)?.history;
const events = (...what: string[]): object[] => what.map((each) => expect.objectContaining({ what: each }));

describe('a file system that is imported', () => {
  test('is bound to the claim, which keeps its labels, and loses what said what to import', async () => {
    const share = await shareWithData();
    const { metadata } = await imported('data', share);
    expect(metadata).toMatchObject({ labels: { mine: 'yes' } });
    expect(metadata).toHaveProperty('annotations', { note: 'x', 'kubernetes.io/volumeId': share.id });
    expect(storage.read()).toMatchObject([
      { exists: true, bound: ['shop/data'], history: events('created', 'imported') },
    ]);
    const volume = there.volume(there.claim('data')?.spec?.volumeName ?? '');
    expect(volume?.spec).toMatchObject({ hostPath: { path: share.folder }, persistentVolumeReclaimPolicy: 'Retain' });
  });

  test('is listed under its type, as the vendor shows it', async () => {
    const share = await shareWithData();
    await imported('data', share);
    expect(await storage.imports('shop', 'efs')).toEqual([]);
    const options = { volumeID: share.id, deviceMountPath: share.exportLocation };
    const [found] = await storage.imports('shop', 'nfs');
    expect(found).toMatchObject({
      persistentVolumeClaim: { metadata: { name: 'data' } },
      persistentVolume: { spec: { flexVolume: { options }, persistentVolumeReclaimPolicy: 'Delete' } },
    });
    expect(JSON.stringify(found)).not.toContain(share.folder);
  });

  test('stays when its claim is unbound', async () => {
    const share = await shareWithData();
    await imported('data', share);
    await storage.keep('shop', 'data');
    there.remove('PersistentVolumeClaim', 'data');
    await expect.poll(() => historyOf(share)).toEqual(events('created', 'imported', 'released'));
    expect(await hasData(share)).toBe(true);
    expect(there.volumes).toEqual([]);
    expect(storage.read()).toMatchObject([{ exists: true, bound: [] }]);
  });

  test('is deleted with everything in it when its claim is deleted without a word about that', async () => {
    const share = await shareWithData();
    await imported('data', share);
    there.remove('PersistentVolumeClaim', 'data');
    await expect.poll(() => historyOf(share)).toEqual(events('created', 'imported', 'deleted', 'released'));
    expect(await hasData(share)).toBe(false);
    expect(storage.read()).toMatchObject([{ exists: false, bound: [] }]);
  });

  test('is imported by one claim at a time, and again after it was unbound', async () => {
    const share = await shareWithData();
    await imported('one', share);
    const again = (name: string): Promise<Stored> => storage.imported({ body: claimOf(name, share), identity, route });
    expect(await again('two')).toMatchObject({ refusal: { errorCode: 'CCI.01.400309' } });
    // The control plane itself says that there is a claim of that name.
    expect(await again('one')).toHaveProperty('body');
    await storage.keep('shop', 'one');
    there.remove('PersistentVolumeClaim', 'one');
    await expect.poll(() => there.volumes).toHaveLength(0);
    await imported('two', share);
    expect(await hasData(share)).toBe(true);
  });

  test('is not found by another account, by another path or under another class', async () => {
    const share = await shareWithData();
    const theirs = { ...identity, project: { id: 'p2', name: 'other' } };
    const elsewhere = { ...share, exportLocation: 'sfs-nas01:/other' };
    const by = (body: object, who = identity): Promise<Stored> => storage.imported({ body, identity: who, route });
    const refusal = { refusal: { status: 400, errorCode: 'CCI.01.400306' } };
    expect(await by(claimOf('a', share), theirs)).toMatchObject(refusal);
    expect(await by(claimOf('a', elsewhere))).toMatchObject(refusal);
    expect(await by(claimOf('a', share, 'efs-standard'))).toMatchObject(refusal);
    expect(await by(claimOf('a', share, 'ssd'))).toMatchObject(refusal);
  });
});

test('a claim that imports nothing is left alone', async () => {
  there.make('PersistentVolumeClaim', { metadata: { name: 'other', namespace: 'shop' }, spec: { volumeName: 'none' } });
  await imported('data', await shareWithData());
  expect(there.volumes).toHaveLength(1);
});

const volumeOf = ({ id, exportLocation }: Share, persistentVolumeReclaimPolicy?: string): object => ({
  apiVersion: 'cci/v2',
  kind: 'PersistentVolume',
  metadata: { name: 'data', labels: { mine: 'yes' } },
  spec: {
    accessModes: ['ReadWriteMany'],
    capacity: { storage: '10Gi' },
    mountOptions: ['hard'],
    csi: {
      driver: 'sfsturbo.csi.everest.io',
      volumeHandle: id,
      volumeAttributes: { 'everest.io/share-export-location': `${exportLocation}apps` },
    },
    ...(persistentVolumeReclaimPolicy === undefined ? {} : { persistentVolumeReclaimPolicy }),
  },
});

describe('a volume of CCI 2.0', () => {
  const claim = { metadata: { name: 'c', namespace: 'shop' }, spec: { volumeName: 'data' } };

  async function made(share: Share, policy?: string): Promise<JsonObject> {
    const body = bodyOf(await storage.stored({ body: volumeOf(share, policy), identity }));
    there.make('PersistentVolume', body);
    there.make('PersistentVolumeClaim', claim);
    await expect.poll(() => storage.read()).toMatchObject([{ bound: ['shop/c'] }]);
    return body;
  }

  test('is a folder, is the account’s, and is shown as it was made', async () => {
    const share = await shareWithData('sfs-turbo');
    const body = await made(share, 'Retain');
    expect(body).toMatchObject({
      metadata: { labels: { mine: 'yes', 'tenant.kubernetes.io/project-id': 'p1' } },
      spec: { hostPath: { path: join(share.folder, 'apps') } },
    });
    expect(body['spec']).not.toHaveProperty('mountOptions');
    expect(shownVolume(body)).toMatchObject(volumeOf(share, 'Retain'));
    expect(JSON.stringify(shownVolume(body))).not.toContain(share.folder);
  });

  test('stays when its claim goes, and releases the file system when it goes itself', async () => {
    const share = await shareWithData('sfs-turbo');
    await made(share);
    there.remove('PersistentVolumeClaim', 'c');
    await expect.poll(() => there.volume('data')?.status?.phase).toBe('Released');
    there.remove('PersistentVolume', 'data');
    await expect.poll(() => historyOf(share)).toEqual(events('created', 'imported', 'released'));
    expect(await hasData(share)).toBe(true);
  });

  test('takes the file system along with its claim when it was made with the policy Delete', async () => {
    const share = await shareWithData('sfs-turbo');
    await made(share, 'Delete');
    there.remove('PersistentVolumeClaim', 'c');
    await expect.poll(() => historyOf(share)).toEqual(events('created', 'imported', 'deleted', 'released'));
    expect(there.volumes).toEqual([]);
  });
});
