import { objectAt, textAt } from '../json.ts';
import { apiRefusal, type ErrorCode, type Refusal } from '../refusal.ts';
import type { ShareKind } from '../storage/shares.ts';

/** Classes of claims by which something that exists is imported, and what each takes. */
const importClasses: ReadonlyMap<string, { readonly fsType: string; readonly type: StorageType }> = new Map([
  ['sata', { fsType: 'ext4', type: 'bs' }],
  ['sas', { fsType: 'ext4', type: 'bs' }],
  ['ssd', { fsType: 'ext4', type: 'bs' }],
  ['obs', { fsType: 'obs', type: 'obs' }],
  ['nfs-rw', { fsType: 'nfs', type: 'nfs' }],
  ['efs-performance', { fsType: 'nfs', type: 'efs' }],
  ['efs-standard', { fsType: 'nfs', type: 'efs' }],
]);

/** In what the vendor's API calls a kind of storage. */
export type StorageType = 'bs' | 'obs' | 'nfs' | 'efs';

export function isStorageType(value: string): value is StorageType {
  return value === 'bs' || value === 'obs' || value === 'nfs' || value === 'efs';
}

/** Of a claim; undefined for a class by which nothing can be imported. */
export function storageTypeOf(claim: unknown): StorageType | undefined {
  return importClasses.get(textAt(claim, 'spec', 'storageClassName') ?? '')?.type;
}

/** Disks and buckets are not in this region. */
export const shareKinds: Readonly<Partial<Record<StorageType, ShareKind>>> = { nfs: 'sfs', efs: 'sfs-turbo' };

/** What an import says of the storage. */
export interface Imported {
  readonly volumeId: string;
  readonly location: string;
}

export const importAnnotations = { type: 'fsType', id: 'volumeID', location: 'deviceMountPath' } as const;

export function importedBy(claim: unknown): Imported {
  const annotations = objectAt(claim, 'metadata', 'annotations');
  return {
    volumeId: textAt(annotations, importAnnotations.id) ?? '',
    location: textAt(annotations, importAnnotations.location) ?? '',
  };
}

/** What is wrong with a claim that is to import something; undefined: nothing. */
export function importMistake(claim: unknown): Refusal | undefined {
  const annotations = objectAt(claim, 'metadata', 'annotations');
  const name = textAt(claim, 'spec', 'storageClassName') ?? '';
  const found = importClasses.get(name);
  if (found === undefined) return bad('CCI.01.400307', `nfs storage class type err: "${name}"`);
  const fsType = textAt(annotations, importAnnotations.type) ?? '';
  const { volumeId, location } = importedBy(claim);
  const wrong = [
    ...(fsType === found.fsType ? [] : [`annotation fsType "${fsType}" does not match storageClassName "${name}"`]),
    ...(volumeId === '' ? ['annotation volumeID is required'] : []),
    ...(found.fsType === 'nfs' && location === '' ? ['annotation deviceMountPath is required'] : []),
  ];
  return wrong[0] === undefined ? undefined : bad('CCI.01.400106', `volume import: request body error: ${wrong[0]}`);
}

/** Whether the storage of a claim that is deleted stays. If it is not said, it goes with the claim. */
export function keepsStorage(query: URLSearchParams): boolean {
  return said(query, 'deleteVolume', 'delete_volume') === 'false';
}

/** SFS Turbo is unbound as nfs. */
const unboundTypes: ReadonlySet<string | undefined> = new Set(['nfs', 'obs', 'bs']);

/** What is wrong with how a claim is deleted; undefined: nothing. */
export function unbindingMistake(query: URLSearchParams): Refusal | undefined {
  const deletes = said(query, 'deleteVolume', 'delete_volume');
  if (deletes !== undefined && deletes !== 'true' && deletes !== 'false') {
    return bad('CCI.01.400304', 'storage request body invalid');
  }
  return deletes !== 'false' || unboundTypes.has(typeIn(query))
    ? undefined
    : bad('CCI.01.400301', 'storage type parameter invalid: nfs/obs/bs');
}

/** Undefined where none is named. */
export function typeIn(query: URLSearchParams): string | undefined {
  return said(query, 'storageType', 'storage_type');
}

/** The vendor's documents write the names of parameters in one way, its tools and errors in the other. */
function said(query: URLSearchParams, documented: string, used: string): string | undefined {
  return query.get(documented) ?? query.get(used) ?? undefined;
}

export function bad(code: ErrorCode, message: string): Refusal {
  return apiRefusal(400, 'BadRequest', message, code);
}

const turboDriver = 'sfsturbo.csi.everest.io';
const locationAttribute = 'everest.io/share-export-location';

/** What a volume of CCI 2.0 says of the file system. */
export function mountedBy(volume: unknown): Imported {
  const csi = objectAt(volume, 'spec', 'csi');
  return {
    volumeId: textAt(csi, 'volumeHandle') ?? '',
    location: textAt(csi, 'volumeAttributes', locationAttribute) ?? '',
  };
}

/** What is wrong with a new volume of CCI 2.0; undefined: nothing. */
export function volumeMistake(volume: unknown): Refusal | undefined {
  const wrong = wrongOfVolume(volume);
  return wrong === undefined ? undefined : apiRefusal(422, 'Invalid', wrong);
}

function wrongOfVolume(volume: unknown): string | undefined {
  const driver = textAt(volume, 'spec', 'csi', 'driver');
  if (driver === undefined) return 'spec.csi: Required value';
  if (driver !== turboDriver) return `spec.csi.driver "${driver}" is not supported`;
  const { volumeId, location } = mountedBy(volume);
  if (volumeId === '') return 'spec.csi.volumeHandle: Required value';
  return location === '' ? `spec.csi.volumeAttributes[${locationAttribute}]: Required value` : undefined;
}
