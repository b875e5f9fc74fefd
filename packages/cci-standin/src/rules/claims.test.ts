import { expect, test } from 'vitest';
import { importMistake, keepsStorage, storageTypeOf, unbindingMistake, volumeMistake } from './claims.ts';

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
  ['csi-nas', sfs, 'CCI.01.400307', 'storage class type err: "csi-nas"'],
  ['nfs-rw', { ...sfs, fsType: 'ext4' }, 'CCI.01.400106', 'fsType "ext4" does not match storageClassName "nfs-rw"'],
  ['nfs-rw', { ...sfs, volumeID: '' }, 'CCI.01.400106', 'annotation volumeID is required'],
  ['efs-standard', { fsType: 'nfs', volumeID: 'v1' }, 'CCI.01.400106', 'annotation deviceMountPath is required'],
])('an import of class %s with %j is refused', (name, annotations, errorCode, message) => {
  expect(importMistake(claim(name, annotations))).toMatchObject({
    errorCode,
    message: expect.stringContaining(message),
  });
});

test.each([
  ['', false, undefined],
  ['deleteVolume=true', false, undefined],
  ['deleteVolume=false&storageType=nfs', true, undefined],
  ['delete_volume=false&storage_type=nfs', true, undefined],
  ['deleteVolume=false', true, 'CCI.01.400301'],
  ['deleteVolume=false&storageType=efs', true, 'CCI.01.400301'],
  ['deleteVolume=no&storageType=nfs', false, 'CCI.01.400304'],
])('a claim deleted with "%s": its storage stays: %s; refused with %s', (query, keeps, errorCode) => {
  expect(keepsStorage(new URLSearchParams(query))).toBe(keeps);
  expect(unbindingMistake(new URLSearchParams(query))).toEqual(errorCode && expect.objectContaining({ errorCode }));
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
  expect(volumeMistake({ spec })).toMatchObject({ status: 422, message: expect.stringContaining(message) });
});
