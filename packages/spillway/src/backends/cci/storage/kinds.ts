import type { PersistentVolume, StorageClass } from '@spillway/kube';
import { type FileSystem, serviceOf } from './file-system.ts';

/** What kind of storage a volume is, or a storage class makes. */
export interface StorageKind {
  /** Undefined: one that CCI cannot mount. */
  readonly service?: FileSystem['service'] | undefined;
  /** In a sentence: `an EVS disk` */
  readonly text: string;
}

export function kindOfVolume({ spec = {} }: PersistentVolume): StorageKind {
  const { csi, flexVolume } = spec;
  if (csi) return kindOfDriver(csi.driver);
  if (flexVolume) return { text: `a flexVolume (driver ${flexVolume.driver})` };
  const [plugin = 'unknown'] = Object.keys(spec).filter((field) => plugins.has(field));
  return { text: `a volume of type ${plugin}` };
}

/** Undefined: volumes of the class are made by hand, and may be of any kind. */
export function kindOfClass({ provisioner = '', parameters }: StorageClass): StorageKind | undefined {
  if (provisioner === 'kubernetes.io/no-provisioner') return undefined;
  if (provisioner.startsWith('flexvolume-huawei.com/')) return { text: `a flexVolume (provisioner ${provisioner})` };
  if (provisioner === 'everest-csi-provisioner') return kindOfDriver(parameters?.['csi.storage.k8s.io/csi-driver-name'] ?? '');
  return { text: `a volume of the provisioner ${provisioner}` };
}

const texts: Readonly<Record<string, string>> = {
  'nas.csi.everest.io': 'a file system of SFS',
  'sfsturbo.csi.everest.io': 'a file system of SFS Turbo',
  'disk.csi.everest.io': 'an EVS disk',
  'obs.csi.everest.io': 'an OBS bucket',
  'local.csi.everest.io': 'a local volume',
};

function kindOfDriver(driver: string): StorageKind {
  const text = Object.hasOwn(texts, driver) ? texts[driver] : undefined;
  return { service: serviceOf(driver), text: text ?? `a volume of the CSI driver ${driver}` };
}
