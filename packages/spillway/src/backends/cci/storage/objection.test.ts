import type { PersistentVolume, StorageClass } from '@spillway/kube';
import { expect, test } from 'vitest';
import type { ClaimState } from '../../../podspec/claims.ts';
import { claimObjection } from './objection.ts';

const claim = { namespace: 'shop', name: 'data' };
const at = { 'everest.io/share-export-location': 'host:/path' };

function bound(spec: PersistentVolume['spec']): ClaimState {
  const volume = { metadata: { name: 'pv' }, ...(spec && { spec }) };
  return { kind: 'bound', ...claim, claim: {}, volume };
}

const csi = (driver: string, volumeAttributes: Record<string, string> = at): ClaimState =>
  bound({ csi: { driver, volumeHandle: 'id', volumeAttributes } });

function ofClass(provisioner: string, driver?: string): ClaimState {
  const parameters = driver === undefined ? {} : { 'csi.storage.k8s.io/csi-driver-name': driver };
  const storageClass: StorageClass = { metadata: { name: 'class' }, provisioner, parameters };
  return { kind: 'expected', ...claim, storageClass };
}

const answer = (version: 'v1' | 'v2', state: ClaimState | undefined): string => {
  const objection = claimObjection(version, state);
  return objection === undefined ? 'mounted' : `${objection.code}: ${objection.detail}`;
};

test.each<[string, ClaimState | undefined, string, string]>([
  ['SFS', csi('nas.csi.everest.io'), 'mounted', 'claim-sfs-unsupported: the claim "data" is in a file system of SFS'],
  ['SFS Turbo', csi('sfsturbo.csi.everest.io'), 'mounted', 'mounted'],
  [
    'SFS without its place',
    csi('nas.csi.everest.io', {}),
    'claim-storage-unsupported: the PersistentVolume "pv" does not say where the file system is',
    'claim-sfs-unsupported: the claim "data" is in a file system of SFS',
  ],
  [
    'a class of SFS',
    ofClass('everest-csi-provisioner', 'nas.csi.everest.io'),
    'mounted',
    'claim-sfs-unsupported: the claim "data" is in a file system of SFS',
  ],
  ['a class of SFS Turbo', ofClass('everest-csi-provisioner', 'sfsturbo.csi.everest.io'), 'mounted', 'mounted'],
  ['volumes that somebody makes by hand', ofClass('kubernetes.io/no-provisioner'), 'mounted', 'mounted'],
  ['a class that nobody knows', { kind: 'expected', ...claim }, 'mounted', 'mounted'],
  ['a claim that nobody knows', undefined, 'mounted', 'mounted'],
])('%s', (_, state, v1, v2) => {
  expect([answer('v1', state), answer('v2', state)]).toEqual([v1, v2]);
});

test.each<[ClaimState, string]>([
  [csi('disk.csi.everest.io'), 'on an EVS disk'],
  [csi('obs.csi.everest.io'), 'in an OBS bucket'],
  [csi('ebs.csi.aws.com'), 'in a volume of the CSI driver ebs.csi.aws.com'],
  [csi('constructor'), 'in a volume of the CSI driver constructor'],
  [bound({ flexVolume: { driver: 'huawei.com/fuxinfs' } }), 'in a flexVolume (driver huawei.com/fuxinfs)'],
  [bound({ capacity: { storage: '1Gi' }, claimRef: {}, hostPath: { path: '/data' } }), 'in a volume of type hostPath'],
  [bound({ nodeAffinity: {}, local: { path: '/data' } }), 'in a volume of type local'],
  [ofClass('everest-csi-provisioner', 'disk.csi.everest.io'), 'on an EVS disk'],
  [ofClass('flexvolume-huawei.com/fuxinfs'), 'in a flexVolume (provisioner flexvolume-huawei.com/fuxinfs)'],
  [ofClass('ebs.csi.aws.com'), 'in a volume of the provisioner ebs.csi.aws.com'],
  [
    { kind: 'unbound', ...claim, message: 'no', remedy: 'No.', storageClass: { provisioner: 'x' } },
    'in a volume of the provisioner x',
  ],
])('no CCI mounts %#', (state, where) => {
  const objection = `claim-storage-unsupported: the claim "data" is ${where}`;
  expect([answer('v1', state), answer('v2', state)]).toEqual([objection, objection]);
});
