import { describe, expect, test } from 'vitest';
import { copyName, copyOf, isCopyName } from './copies.ts';
import type { FileSystem } from './file-system.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const turbo: FileSystem = {
  service: 'sfs-turbo',
  id: '0d773f2e-1234',
  location: '192.168.0.9:/',
  folder: 'apps/web',
  performance: false,
};
const sfs: FileSystem = { ...turbo, service: 'sfs', location: 'sfs-nas01:/share-1', folder: '' };

describe('the claim of a file system in CCI', () => {
  test('is called after the file system, and is the same for every folder of it', () => {
    expect(copyName(owner, turbo)).toMatch(/^sfs-turbo-0d773f2e-1234-[0-9a-f]{10}$/);
    expect(copyName(owner, { ...turbo, folder: 'other' })).toBe(copyName(owner, turbo));
    expect(copyName(owner, sfs)).not.toBe(copyName(owner, turbo));
  });

  test.each(['Upper', 'upper', 'a_b', 'a-b', 'x'.repeat(64), 'x'.repeat(65), ''])(
    'has a name that only the file system "%s" has, and that is one',
    (id) => {
      const name = copyName(owner, { ...sfs, id });
      expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
      expect(name.length).toBeLessThan(100);
      expect(name).not.toBe(copyName(owner, { ...sfs, id: `${id}2` }));
      expect(name).not.toBe(copyName(owner, { ...sfs, id: id.toLowerCase() === id ? `${id}-` : id.toLowerCase() }));
    },
  );

  test('tells whose it is by its name alone', () => {
    const name = copyName(owner, turbo);
    expect(isCopyName(owner, name)).toBe(true);
    expect(isCopyName({ ...owner, nodeName: 'other' }, name)).toBe(false);
    expect(isCopyName({ ...owner, clusterId: 'other' }, name)).toBe(false);
    for (const theirs of ['sfs-turbo-data', 'data', name.slice(0, -1), `my-${name}`]) {
      expect(isCopyName(owner, theirs)).toBe(false);
    }
  });

  test('imports all of it in CCI 1.0, and is marked', () => {
    const { metadata, spec } = copyOf.v1(owner, sfs);
    expect(metadata).toMatchObject({
      labels: { 'spillway.dev/copy': 'true', 'spillway.dev/node': 'virtual' },
      annotations: { fsType: 'nfs', volumeID: '0d773f2e-1234', deviceMountPath: 'sfs-nas01:/share-1' },
    });
    expect(spec).toMatchObject({ accessModes: ['ReadWriteMany'], storageClassName: 'nfs-rw' });
    expect(copyOf.v1(owner, turbo).spec).toMatchObject({ storageClassName: 'efs-standard' });
    expect(copyOf.v1(owner, { ...turbo, performance: true }).spec).toMatchObject({
      storageClassName: 'efs-performance',
    });
  });

  test('comes with a volume in CCI 2.0, which stays when its claim goes', () => {
    const { metadata, spec, volume } = copyOf.v2(owner, turbo);
    expect(spec).toMatchObject({ volumeName: metadata?.name, storageClassName: volume?.spec?.storageClassName });
    expect(volume).toMatchObject({
      metadata: { name: metadata?.name },
      spec: {
        csi: {
          driver: 'sfsturbo.csi.everest.io',
          volumeHandle: '0d773f2e-1234',
          volumeAttributes: { 'everest.io/share-export-location': '192.168.0.9:/' },
        },
        persistentVolumeReclaimPolicy: 'Retain',
      },
    });
  });
});
