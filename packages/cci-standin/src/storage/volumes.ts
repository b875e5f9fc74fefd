import { nameOf, namespaceOf, type PersistentVolume, type PersistentVolumeClaim, uidOf } from '@spillway/kube';
import type { Identity } from '../accounts.ts';
import { projectLabel } from '../gateway/adapt.ts';
import { isObject, objectAt, textAt, type JsonObject } from '../json.ts';
import type { Share, ShareKind } from './shares.ts';

// A volume in the region's control plane is a folder of this machine, which its kubelet mounts. What customers see instead
// is kept in an annotation. The control plane never reclaims one by itself.

const keptAnnotation = 'volume.cci-standin/shown';

/** What is kept of a volume. */
export interface KeptVolume {
  /** ID of the file system */
  readonly share: string;
  /** What happens to the file system when the claim goes */
  readonly reclaimPolicy: string;
  /** `flexVolume`, or `csi` with its options, as customers see it */
  readonly source: JsonObject;
}

/** Where a file system, or a part of it, is mounted from. */
export interface Mounted {
  readonly share: Share;
  readonly location: string;
  readonly folder: string;
}

const drivers: Readonly<Record<ShareKind, string>> = { sfs: 'huawei.com/fuxinfs', 'sfs-turbo': 'huawei.com/fuxiefs' };

/** The volume that CCI 1.0 makes for a claim by which a file system is imported. */
export function importedVolume(claim: PersistentVolumeClaim, { share, location, folder }: Mounted): PersistentVolume {
  const { accessModes = [], resources, storageClassName, volumeName = '' } = claim.spec ?? {};
  const [namespace, name] = [namespaceOf(claim) ?? '', nameOf(claim)];
  const options = {
    fsType: 'nfs',
    storage_class: storageClassName ?? '',
    volumeID: share.id,
    deviceMountPath: location,
  };
  const kept: KeptVolume = {
    share: share.id,
    reclaimPolicy: 'Delete',
    source: { flexVolume: { driver: drivers[share.kind], fsType: 'nfs', options } },
  };
  return {
    metadata: {
      name: volumeName,
      labels: { [projectLabel]: share.projectId },
      annotations: {
        'kubernetes.io/createdby': 'cci-apiserver',
        'pv.kubernetes.io/bound-by-cci': 'yes',
        'pv.kubernetes.io/namespace': namespace,
        [keptAnnotation]: JSON.stringify(kept),
      },
    },
    spec: {
      accessModes: [...accessModes],
      capacity: { storage: resources?.requests?.['storage'] ?? '1Gi' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid: uidOf(claim) },
      hostPath: { path: folder },
      persistentVolumeReclaimPolicy: 'Retain',
      ...(storageClassName === undefined ? {} : { storageClassName }),
    },
  };
}

/** A volume that a customer of CCI 2.0 makes, as it is kept. */
export function storedVolume(volume: JsonObject, { share, folder }: Mounted, { project }: Identity): JsonObject {
  const { csi, mountOptions, persistentVolumeReclaimPolicy, ...spec } = objectAt(volume, 'spec');
  const kept: KeptVolume = {
    share: share.id,
    reclaimPolicy: persistentVolumeReclaimPolicy === 'Delete' ? 'Delete' : 'Retain',
    source: { csi, ...(mountOptions === undefined ? {} : { mountOptions }) },
  };
  const metadata = objectAt(volume, 'metadata');
  return {
    ...volume,
    metadata: {
      ...metadata,
      labels: { ...objectAt(metadata, 'labels'), [projectLabel]: project.id },
      annotations: { ...objectAt(metadata, 'annotations'), [keptAnnotation]: JSON.stringify(kept) },
    },
    spec: { ...spec, hostPath: { path: folder }, persistentVolumeReclaimPolicy: 'Retain' },
  };
}

/** Undefined for a volume that is none of the region's. */
export function keptOf(volume: unknown): KeptVolume | undefined {
  const text = textAt(volume, 'metadata', 'annotations', keptAnnotation);
  if (text === undefined) return undefined;
  const kept: unknown = JSON.parse(text);
  const [share = '', reclaimPolicy = ''] = [textAt(kept, 'share'), textAt(kept, 'reclaimPolicy')];
  return { share, reclaimPolicy, source: objectAt(kept, 'source') };
}

/** A volume as customers see it. */
export function shownVolume(volume: JsonObject): JsonObject {
  const kept = keptOf(volume);
  if (kept === undefined) return volume;
  const metadata = objectAt(volume, 'metadata');
  const { [keptAnnotation]: _kept, ...annotations } = objectAt(metadata, 'annotations');
  const { hostPath: _folder, ...spec } = objectAt(volume, 'spec');
  return {
    ...volume,
    metadata: { ...metadata, annotations },
    spec: { ...spec, ...kept.source, persistentVolumeReclaimPolicy: kept.reclaimPolicy },
  };
}

/** One element of the answer to who asks for imported claims. */
export function shownImport(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): JsonObject {
  const shown = volume === undefined ? {} : shownVolume({ ...volume });
  const name = claim.spec?.volumeName ?? '';
  const id = textAt(shown, 'spec', 'flexVolume', 'options', 'volumeID') ?? '';
  return {
    persistentVolumeClaim: claim,
    persistentVolume: isObject(shown) ? shown : {},
    storageInfo: {
      kind: 'Volume',
      apiVersion: 'paas/v1beta1',
      metadata: { name },
      spec: { name, volume_type: claim.spec?.storageClassName ?? '' },
      status: { id, status: 'available' },
    },
  };
}
