import { expect, test } from 'vitest';
import { importMistake, storageTypeOf, unbindingOf, volumeMistake } from './claims.ts';

const claim = (storageClassName: string, annotations: object): object => ({
  metadata: { annotations },
  spec: { storageClassName },
});
const sfs = { fsType: 'nfs', volumeID: 'v1', deviceMountPath: 'sfs-nas01:/share-1' };

test.each([
  ['nfs-rw', sfs, 'nfs'],
  ['efs-standard', sfs, 'efs'],
  ['efs-performance', sfs, 'efs'],
  ['ssd', { fsType: 'ext4', volumeID: 'v1' }, 'bs'],
  ['obs', { fsType: 'obs', volumeID: 'v1' }, 'obs'],
])('storage of class %s is imported with %j, as %s', (name, annotations, type) => {
  expect(importMistake(claim(name, annotations))).toBeUndefined();
  expect(storageTypeOf(claim(name, annotations))).toBe(type);
});

test.each([
  ['csi-nas', sfs, 'storageClassName "csi-nas" is not supported'],
  ['nfs-rw', { ...sfs, fsType: 'ext4' }, 'annotation fsType "ext4" does not match storageClassName "nfs-rw"'],
  ['nfs-rw', { ...sfs, volumeID: '' }, 'annotation volumeID is required'],
  ['efs-standard', { fsType: 'nfs', volumeID: 'v1' }, 'annotation deviceMountPath is required'],
])('an import of class %s with %j is refused', (name, annotations, message) => {
  expect(importMistake(claim(name, annotations))).toBe(message);
});

test.each([
  ['', { keeps: false, mistake: undefined }],
  ['deleteVolume=true', { keeps: false, mistake: undefined }],
  ['deleteVolume=false&storageType=nfs', { keeps: true, mistake: undefined }],
  ['deleteVolume=false&storage_type=efs', { keeps: true, mistake: undefined }],
  ['deleteVolume=false', { keeps: true, mistake: 'storageType is required when deleteVolume is false' }],
  [
    'deleteVolume=false&storageType=tape',
    { keeps: true, mistake: 'storageType is required when deleteVolume is false' },
  ],
])('a claim deleted with "%s"', (query, unbinding) => {
  expect(unbindingOf(new URLSearchParams(query))).toEqual(unbinding);
});

const csi = {
  driver: 'sfsturbo.csi.everest.io',
  volumeHandle: 'v1',
  volumeAttributes: { 'everest.io/share-export-location': '1a2b.sfsturbo.internal:/' },
};

test('a volume of CCI 2.0 is a file system of SFS Turbo, with its path', () => {
  expect(volumeMistake({ spec: { csi } })).toBeUndefined();
});

test.each([
  [{ nfs: { server: 's', path: '/' } }, 'spec.csi: Required value'],
  [{ csi: { ...csi, driver: 'nas.csi.everest.io' } }, 'spec.csi.driver "nas.csi.everest.io" is not supported'],
  [{ csi: { ...csi, volumeHandle: '' } }, 'spec.csi.volumeHandle: Required value'],
  [{ csi: { ...csi, volumeAttributes: {} } }, 'share-export-location]: Required value'],
])('a volume of CCI 2.0 with %j is refused', (spec, message) => {
  expect(volumeMistake({ spec })).toContain(message);
});
