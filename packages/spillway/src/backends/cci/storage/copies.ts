import type { ObjectMeta } from '@spillway/kube';
import type { Owner } from '../../backend.ts';
import type { ClaimCopy } from '../../kubernetes/copies/copies.ts';
import type { CciDialect } from '../dialects.ts';
import { copyMarks } from '../../kubernetes/pods/marks.ts';
import { hashOf } from '../../kubernetes/pods/names.ts';
import type { FileSystem } from './file-system.ts';

// CCI imports a file system once, however many claims of the cluster are bound to it or to folders of it. So there is one claim
// in CCI for each, which all pods share.

/** What people find in the console; the end says whose it is, because an import may lose its labels. */
export function copyName(owner: Owner, { service, id }: FileSystem): string {
  const name = /^[a-z0-9]([-a-z0-9]{0,62}[a-z0-9])?$/.test(id) ? `${service}-${id}` : `${service}-${hashOf(32, id)}`;
  return `${name}-${endOf(owner, name)}`;
}

export function isCopyName(owner: Owner, name: string): boolean {
  const [, start = '', end] = /^(sfs(?:-turbo)?-.+)-([0-9a-f]{10})$/.exec(name) ?? [];
  return end === endOf(owner, start);
}

function endOf({ clusterId, nodeName }: Owner, name: string): string {
  return hashOf(10, clusterId, nodeName, name);
}

/** File systems are shared, and have no size of their own for CCI. */
const shared = { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } };

/** What is imported. */
export const copyOf: Readonly<Record<CciDialect['apiVersion'], (owner: Owner, fileSystem: FileSystem) => ClaimCopy>> = {
  v1: (owner, fileSystem) => {
    const { id: volumeID, location: deviceMountPath } = fileSystem;
    const metadata = metadataOf(owner, fileSystem, { fsType: 'nfs', volumeID, deviceMountPath });
    return { metadata, spec: { ...shared, storageClassName: importClassOf(fileSystem) } };
  },
  v2: (owner, fileSystem) => {
    const metadata = metadataOf(owner, fileSystem);
    const { name = '' } = metadata;
    const storageClassName = 'csi-sfsturbo';
    const { accessModes, resources } = shared;
    return {
      metadata,
      spec: { accessModes, resources, storageClassName, volumeName: name },
      volume: {
        metadata,
        spec: {
          accessModes,
          capacity: resources.requests,
          csi: {
            driver: 'sfsturbo.csi.everest.io',
            fsType: 'nfs',
            volumeHandle: fileSystem.id,
            volumeAttributes: {
              'everest.io/share-export-location': fileSystem.location,
              'storage.kubernetes.io/csiProvisionerIdentity': 'everest-csi-provisioner',
            },
          },
          // The data belongs to the volume of the cluster.
          persistentVolumeReclaimPolicy: 'Retain',
          storageClassName,
        },
      },
    };
  },
};

function importClassOf({ service, performance }: FileSystem): string {
  if (service === 'sfs') return 'nfs-rw';
  return performance ? 'efs-performance' : 'efs-standard';
}

function metadataOf(owner: Owner, fileSystem: FileSystem, more: Readonly<Record<string, string>> = {}): ObjectMeta {
  const { labels, annotations } = copyMarks(owner);
  return { name: copyName(owner, fileSystem), labels: { ...labels }, annotations: { ...annotations, ...more } };
}
