import type { Region } from '@spillway/cci-standin';
import {
  Informer,
  isAlreadyExists,
  isNotFound,
  type KubeClient,
  nameOf,
  namespaceOf,
  type ObjectMeta,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type StorageClass,
  storageClasses,
  uidOf,
} from '@spillway/kube';
import { eventually } from './eventually.ts';

const provisioner = 'everest-csi-provisioner';

/** As CCE has them. */
const drivers: Readonly<Record<string, string>> = {
  'csi-nas': 'nas.csi.everest.io',
  'csi-sfsturbo': 'sfsturbo.csi.everest.io',
  'csi-disk': 'disk.csi.everest.io',
};

export interface ShareAt {
  readonly id: string;
  readonly exportLocation: string;
}

export function volumeOn(
  driver: string,
  { id, exportLocation }: ShareAt,
  folder = '',
): NonNullable<PersistentVolume['spec']> {
  const ofTurbo = driver === drivers['csi-sfsturbo'] && folder !== '';
  return {
    accessModes: ['ReadWriteMany'],
    capacity: { storage: '10Gi' },
    csi: {
      driver,
      fsType: 'nfs',
      // A volume that is a folder has a handle of its own.
      volumeHandle: ofTurbo ? `${id}-${folder}` : id,
      volumeAttributes: {
        'everest.io/share-export-location': `${exportLocation}${folder}`,
        ...(ofTurbo && { 'everest.io/volume-id': id }),
      },
    },
  };
}

export function claimFor(metadata: ObjectMeta, spec: PersistentVolumeClaim['spec']): PersistentVolumeClaim {
  const resources = { requests: { storage: '10Gi' } };
  return { metadata, spec: { accessModes: ['ReadWriteMany'], resources, ...spec } };
}

/** Makes a claim, and for it a volume of the same name. */
export async function bindByHand(
  client: KubeClient,
  claim: { readonly namespace: string; readonly name: string },
  spec: PersistentVolume['spec'],
): Promise<void> {
  const { name } = claim;
  const volume = { ...spec, persistentVolumeReclaimPolicy: 'Retain', claimRef: claim };
  await client.resource(persistentVolumes).create({ metadata: { name }, spec: volume });
  const claims = client.resource(persistentVolumeClaims);
  await claims.create(claimFor(claim, { storageClassName: '', volumeName: name }));
  await eventually(`the claim ${name} to be bound`, async () => (await claims.get(claim)).status?.phase === 'Bound');
}

/**
 * What the vendor's storage driver does in a cluster of CCE: it makes a file system in the region for each claim of the class
 * `csi-nas`, and deletes it when nobody claims it any more.
 */
export class Everest implements AsyncDisposable {
  /** IDs of the file systems that it has deleted. */
  readonly deleted: Set<string> = new Set();
  readonly #client: KubeClient;
  readonly #region: Region;
  readonly #stop = new AbortController();
  readonly #seen = new Set<string>();
  readonly #work: Promise<unknown>[] = [];

  private constructor(client: KubeClient, region: Region) {
    this.#client = client;
    this.#region = region;
  }

  static async start(client: KubeClient, region: Region): Promise<Everest> {
    const classes = Object.entries(drivers).map(([name, driver]): StorageClass => {
      const parameters = { 'csi.storage.k8s.io/csi-driver-name': driver };
      return { metadata: { name }, provisioner, parameters, volumeBindingMode: 'Immediate' };
    });
    await Promise.all(classes.map((each) => client.resource(storageClasses).create(each)));
    const everest = new Everest(client, region);
    everest.#run();
    return everest;
  }

  #run(): void {
    const claims = new Informer({ client: this.#client, type: persistentVolumeClaims });
    const volumes = new Informer({ client: this.#client, type: persistentVolumes });
    const claimed = (claim: PersistentVolumeClaim): void => {
      if (claim.spec?.storageClassName === 'csi-nas') this.#once(uidOf(claim), () => this.#provision(claim));
    };
    const released = (volume: PersistentVolume): void => {
      const isOurs = volume.spec?.persistentVolumeReclaimPolicy === 'Delete';
      if (isOurs && volume.status?.phase === 'Released') this.#once(uidOf(volume), () => this.#delete(volume));
    };
    claims.subscribe({ added: claimed });
    volumes.subscribe({ added: released, changed: (_, volume) => released(volume) });
    this.#work.push(claims.run(this.#stop.signal), volumes.run(this.#stop.signal));
  }

  #once(uid: string, work: () => Promise<void>): void {
    if (this.#seen.has(uid)) return;
    this.#seen.add(uid);
    this.#work.push(work());
  }

  async #provision(claim: PersistentVolumeClaim): Promise<void> {
    const [namespace, name, uid] = [namespaceOf(claim) ?? '', nameOf(claim), uidOf(claim)];
    const share = await this.#region.storage.create('sfs', this.#region.accounts[0]?.project.id ?? '');
    const volume: PersistentVolume = {
      metadata: { name: `pvc-${uid}`, annotations: { 'pv.kubernetes.io/provisioned-by': provisioner } },
      spec: {
        ...volumeOn('nas.csi.everest.io', share),
        storageClassName: 'csi-nas',
        persistentVolumeReclaimPolicy: 'Delete',
        claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid },
      },
    };
    await this.#client
      .resource(persistentVolumes)
      .create(volume)
      .catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
  }

  async #delete(volume: PersistentVolume): Promise<void> {
    const id = volume.spec?.csi?.volumeHandle ?? '';
    this.deleted.add(id);
    await this.#region.storage.delete(id);
    await this.#client
      .resource(persistentVolumes)
      .delete({ name: nameOf(volume) })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#work);
  }
}
