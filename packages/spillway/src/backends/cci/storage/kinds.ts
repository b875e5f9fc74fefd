import type { PersistentVolume, StorageClass } from '@spillway/kube';
import { isRecord } from '../../../podspec/plain.ts';
import { type FileSystem, serviceOf } from './file-system.ts';

/** What kind of storage a volume is, or a storage class makes. */
export interface StorageKind {
  /** Undefined: one that CCI cannot mount. */
  readonly service?: FileSystem['service'] | undefined;
  /** Where the data is, in a sentence: `on an EVS disk` */
  readonly text: string;
}

/** Fields of a volume that are objects, and do not say where its data is. */
const notSources: ReadonlySet<string> = new Set(['capacity', 'claimRef', 'nodeAffinity']);

export function kindOfVolume({ spec = {} }: PersistentVolume): StorageKind {
  const { csi, flexVolume } = spec;
  if (csi) return kindOfDriver(csi.driver);
  if (flexVolume) return { text: `in a flexVolume (driver ${flexVolume.driver})` };
  const source = Object.entries(spec).find(([field, value]) => isRecord(value) && !notSources.has(field));
  return { text: `in a volume of type ${source?.[0] ?? 'unknown'}` };
}

/** Undefined: volumes of the class are made by hand, and may be of any kind. */
export function kindOfClass({ provisioner, parameters }: StorageClass): StorageKind | undefined {
  if (provisioner === 'kubernetes.io/no-provisioner') return undefined;
  if (provisioner.startsWith('flexvolume-huawei.com/')) return { text: `in a flexVolume (provisioner ${provisioner})` };
  if (provisioner === 'everest-csi-provisioner')
    return kindOfDriver(parameters?.['csi.storage.k8s.io/csi-driver-name'] ?? '');
  return { text: `in a volume of the provisioner ${provisioner}` };
}

const texts: Readonly<Record<string, string>> = {
  'nas.csi.everest.io': 'in a file system of SFS',
  'sfsturbo.csi.everest.io': 'in a file system of SFS Turbo',
  'disk.csi.everest.io': 'on an EVS disk',
  'obs.csi.everest.io': 'in an OBS bucket',
  'local.csi.everest.io': 'in a local volume',
};

function kindOfDriver(driver: string): StorageKind {
  const text = Object.hasOwn(texts, driver) ? texts[driver] : undefined;
  return { service: serviceOf(driver), text: text ?? `in a volume of the CSI driver ${driver}` };
}
