import { objectAt, textAt } from '../json.ts';
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
export function importMistake(claim: unknown): string | undefined {
  const annotations = objectAt(claim, 'metadata', 'annotations');
  const name = textAt(claim, 'spec', 'storageClassName') ?? '';
  const found = importClasses.get(name);
  if (found === undefined) return `storageClassName "${name}" is not supported`;
  const fsType = textAt(annotations, importAnnotations.type) ?? '';
  if (fsType !== found.fsType) return `annotation fsType "${fsType}" does not match storageClassName "${name}"`;
  const { volumeId, location } = importedBy(claim);
  if (volumeId === '') return 'annotation volumeID is required';
  return found.fsType === 'nfs' && location === '' ? 'annotation deviceMountPath is required' : undefined;
}

/** How a claim is deleted. */
export interface Unbinding {
  /** Whether the storage stays. If it is not said, it goes with the claim. */
  readonly keeps: boolean;
  readonly mistake: string | undefined;
}

/** The vendor's documents write storageType, its tools storage_type. */
export function unbindingOf(query: URLSearchParams): Unbinding {
  const keeps = query.get('deleteVolume') === 'false';
  const type = typeIn(query);
  const isMissing = keeps && (type === undefined || !isStorageType(type));
  return { keeps, mistake: isMissing ? 'storageType is required when deleteVolume is false' : undefined };
}

/** Undefined where none is named. */
export function typeIn(query: URLSearchParams): string | undefined {
  return query.get('storage_type') ?? query.get('storageType') ?? undefined;
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
export function volumeMistake(volume: unknown): string | undefined {
  const driver = textAt(volume, 'spec', 'csi', 'driver');
  if (driver === undefined) return 'spec.csi: Required value';
  if (driver !== turboDriver) return `spec.csi.driver "${driver}" is not supported`;
  const { volumeId, location } = mountedBy(volume);
  if (volumeId === '') return 'spec.csi.volumeHandle: Required value';
  return location === '' ? `spec.csi.volumeAttributes[${locationAttribute}]: Required value` : undefined;
}
