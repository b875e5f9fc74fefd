import type { PersistentVolume } from '@spillway/kube';

/** A file system of SFS or SFS Turbo, and what of it a volume of the cluster is. */
export interface FileSystem {
  readonly service: 'sfs' | 'sfs-turbo';
  /** Of the file system, for the vendor's API */
  readonly id: string;
  /** All of it, as it is mounted: HOST:/PATH */
  readonly location: string;
  /** The folder in it that the volume is; empty: all of it */
  readonly folder: string;
  readonly performance: boolean;
}

const services: Readonly<Record<string, FileSystem['service']>> = {
  'nas.csi.everest.io': 'sfs',
  'sfsturbo.csi.everest.io': 'sfs-turbo',
};

export function serviceOf(driver: string | undefined): FileSystem['service'] | undefined {
  return driver !== undefined && Object.hasOwn(services, driver) ? services[driver] : undefined;
}

const attribute = {
  location: 'everest.io/share-export-location',
  /** Of volumes that are folders of an SFS Turbo, whose handle is their own. */
  id: 'everest.io/volume-id',
  type: 'everest.io/share-volume-type',
} as const;

/** Undefined for other volumes, and for those that do not say where they are. */
export function fileSystemOf({ spec }: PersistentVolume): FileSystem | undefined {
  const { driver, volumeHandle = '', volumeAttributes = {} } = spec?.csi ?? {};
  const service = serviceOf(driver);
  const [, host, path] = /^([^/]+):(\/.*)$/.exec(volumeAttributes[attribute.location] ?? '') ?? [];
  if (service === undefined || host === undefined || path === undefined) return undefined;
  // All of an SFS Turbo is at its root.
  const isTurbo = service === 'sfs-turbo';
  return {
    service,
    id: volumeAttributes[attribute.id] ?? volumeHandle,
    location: isTurbo ? `${host}:/` : `${host}:${path}`,
    folder: isTurbo ? path.split('/').filter(Boolean).join('/') : '',
    performance: volumeAttributes[attribute.type] === 'PERFORMANCE',
  };
}
