import type { PersistentVolume } from '@spillway/kube';
import { expect, test } from 'vitest';
import { fileSystemOf } from './file-system.ts';

const volume = (driver: string, location: string | undefined, more: Record<string, string> = {}): PersistentVolume => ({
  spec: {
    csi: {
      driver,
      volumeHandle: 'handle',
      volumeAttributes: { ...(location !== undefined && { 'everest.io/share-export-location': location }), ...more },
    },
  },
});

test('SFS is imported as a whole, by its export', () => {
  expect(fileSystemOf(volume('nas.csi.everest.io', 'sfs-nas01.cn-north-4.example:/share-1a'))).toEqual({
    service: 'sfs',
    id: 'handle',
    location: 'sfs-nas01.cn-north-4.example:/share-1a',
    folder: '',
    performance: false,
  });
});

test.each([
  ['192.168.0.9:/', ''],
  ['192.168.0.9:/apps/web', 'apps/web'],
  ['1a2b.sfsturbo.internal:/apps//pvc-1/', 'apps/pvc-1'],
])('SFS Turbo at %s is imported at its root, and the volume is its folder "%s"', (location, folder) => {
  expect(fileSystemOf(volume('sfsturbo.csi.everest.io', location))).toMatchObject({
    service: 'sfs-turbo',
    location: location.replace(/:.*/, ':/'),
    folder,
  });
});

test('a volume that is a folder of an SFS Turbo names the file system, and its type', () => {
  const more = { 'everest.io/volume-id': 'turbo', 'everest.io/share-volume-type': 'PERFORMANCE' };
  expect(fileSystemOf(volume('sfsturbo.csi.everest.io', 'turbo:/pvc-1', more))).toMatchObject({
    id: 'turbo',
    performance: true,
  });
});

test.each([
  ['of another service', volume('disk.csi.everest.io', '192.168.0.9:/')],
  ['without a path', volume('nas.csi.everest.io', undefined)],
  ['with a path that is none', volume('nas.csi.everest.io', 'share-1a')],
  ['that is no CSI volume', { spec: { nfs: { server: '192.168.0.9', path: '/' } } }],
])('a volume %s is no file system of either', (_, other) => {
  expect(fileSystemOf(other)).toBeUndefined();
});
