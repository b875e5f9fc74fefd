import {
  type Clock,
  Informer,
  isAlreadyExists,
  isConflict,
  isNotFound,
  type KubeClient,
  nameOf,
  namespaceOf,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  uidOf,
} from '@spillway/kube';
import type { Identity } from '../accounts.ts';
import { objectAt, textAt, type JsonObject } from '../json.ts';
import type { Refusal } from '../refusal.ts';
import type { Call } from '../rules/call.ts';
import {
  bad,
  importAnnotations,
  type Imported,
  importedBy,
  mountedBy,
  shareKinds,
  storageTypeOf,
  type StorageType,
} from '../rules/claims.ts';
import { folderAt, makeFolder, type Share, type ShareEvent, type ShareKind, Shares } from './shares.ts';
import { importedVolume, keptOf, type Mounted, shownImport, storedVolume } from './volumes.ts';

/** What became of a file system, for those who judge. */
export interface ShareReading extends Share {
  readonly exists: boolean;
  /** What CCI has of it now: claims as NAMESPACE/NAME, or volumes without a claim by their names */
  readonly bound: readonly string[];
  readonly history: readonly ShareEvent[];
}

/** What the control plane gets for what a customer sent. */
export type Stored = { readonly body: JsonObject } | { readonly refusal: Refusal };

const retryMs = 200;

/** SFS and SFS Turbo, and what CCI does with them: claims and volumes of the region's control plane are bound to their folders. */
export class Storage {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #shares: Shares;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #volumes: Informer<PersistentVolume>;
  /** What claims import, by the name of the volume that each will have. */
  readonly #imports = new Map<string, Mounted>();
  /** UIDs of claims whose storage outlives them. */
  readonly #keeping = new Set<string>();
  readonly #work = new Set<Promise<void>>();

  /** @param dir where the folders of file systems are made */
  constructor(options: {
    readonly client: KubeClient;
    readonly clock: Clock;
    readonly dir: string;
    readonly region: string;
  }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#shares = new Shares(options.dir, options.region);
    this.#claims = new Informer({ client: options.client, type: persistentVolumeClaims });
    this.#volumes = new Informer({ client: options.client, type: persistentVolumes });
  }

  get synced(): Promise<unknown> {
    return Promise.all([this.#claims.synced, this.#volumes.synced]);
  }

  /** Resolves when everything has stopped. */
  async run(signal: AbortSignal): Promise<void> {
    const seen = (claim: PersistentVolumeClaim): void => this.#claimSeen(claim, signal);
    this.#claims.subscribe({ added: seen, changed: (_before, claim) => seen(claim) });
    this.#volumes.subscribe({
      added: (volume) => {
        this.#tell(volume, 'imported');
        if (isReleased(volume)) this.#released(volume, signal);
      },
      changed: (before, volume) => {
        if (before.status?.phase !== volume.status?.phase) this.#volumeReady(volume, signal);
        if (!isReleased(before) && isReleased(volume)) this.#released(volume, signal);
      },
      deleted: (volume) => this.#tell(volume, 'released'),
    });
    await Promise.all([this.#claims.run(signal), this.#volumes.run(signal)]);
    await Promise.all(this.#work);
  }

  /** As an account that orders a file system. */
  create(kind: ShareKind, projectId: string): Promise<Share> {
    return this.#shares.create(kind, projectId);
  }

  /** As an account that deletes one of its file systems. */
  delete(id: string): Promise<void> {
    return this.#shares.delete(id);
  }

  read(): readonly ShareReading[] {
    const volumes = [...this.#volumes.store.values()];
    return this.#shares.read().map(({ share, history }) => ({
      ...share,
      exists: history.every(({ what }) => what !== 'deleted'),
      bound: volumes.filter((volume) => keptOf(volume)?.share === share.id).map(boundAs),
      history: [...history],
    }));
  }

  /** A claim that imports a file system, as the control plane gets it. Each can be imported once. */
  async imported({ body, identity, route }: Pick<Call, 'body' | 'identity' | 'route'>): Promise<Stored> {
    const type = storageTypeOf(body);
    const mounted = await this.#mounted(type && shareKinds[type], importedBy(body), identity);
    if (mounted === undefined) return notFound(importedBy(body));
    const claim = objectAt({ body }, 'body');
    const metadata = objectAt(claim, 'metadata');
    const said: readonly string[] = Object.values(importAnnotations);
    const others = Object.entries(objectAt(metadata, 'annotations')).filter(([name]) => !said.includes(name));
    const annotations = { ...Object.fromEntries(others), 'kubernetes.io/volumeId': mounted.share.id };
    const volumeName = `cci-${type === 'efs' ? 'efs' : 'sfs'}-import-${mounted.share.id}`;
    const own = { namespace: route.namespace ?? '', name: textAt(metadata, 'name') ?? '' };
    if (await this.#isTaken(volumeName, own)) {
      return { refusal: bad('CCI.01.400309', 'storage volume already provisioned') };
    }
    this.#imports.set(volumeName, mounted);
    const spec = { accessModes: ['ReadWriteMany'], ...objectAt(claim, 'spec'), volumeName };
    return { body: { ...claim, metadata: { ...metadata, annotations }, spec } };
  }

  /** A volume that a customer of CCI 2.0 makes, as the control plane gets it. */
  async stored({ body, identity }: Pick<Call, 'body' | 'identity'>): Promise<Stored> {
    const mounted = await this.#mounted('sfs-turbo', mountedBy(body), identity);
    if (mounted === undefined) return notFound(mountedBy(body));
    return { body: storedVolume(objectAt({ body }, 'body'), mounted, identity) };
  }

  /** The storage of this claim stays when the claim is deleted. */
  async keep(namespace: string, name: string): Promise<void> {
    try {
      this.#keeping.add(uidOf(await this.#client.resource(persistentVolumeClaims).get({ namespace, name })));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** The claims of a namespace by which storage of a type was imported. */
  async imports(namespace: string, type: StorageType): Promise<readonly JsonObject[]> {
    const claims = await this.#client.resource(persistentVolumeClaims).list({ namespace });
    return claims.items
      .filter((claim) => this.#imports.has(claim.spec?.volumeName ?? '') && storageTypeOf(claim) === type)
      .map((claim) => shownImport(claim, this.#volumes.store.get('', claim.spec?.volumeName ?? '')));
  }

  async #mounted(kind: ShareKind | undefined, said: Imported, { project }: Identity): Promise<Mounted | undefined> {
    const share = kind && this.#shares.find(kind, said.volumeId, project.id);
    const folder = share && folderAt(share, said.location);
    if (share === undefined || folder === undefined) return undefined;
    await makeFolder(folder);
    return { share, location: said.location, folder };
  }

  /** By another claim than this, also one that is gone and whose volume is still on its way out. */
  async #isTaken(volumeName: string, { namespace, name }: { namespace: string; name: string }): Promise<boolean> {
    const claims = [...this.#claims.store.values()].filter(({ spec }) => spec?.volumeName === volumeName);
    // To one that is there already, the control plane says so itself.
    if (claims.some((claim) => nameOf(claim) === name && namespaceOf(claim) === namespace)) return false;
    if (claims.length > 0) return true;
    return this.#client
      .resource(persistentVolumes)
      .get({ name: volumeName })
      .then(
        () => true,
        (error: unknown) => {
          if (!isNotFound(error)) throw error;
          return false;
        },
      );
  }

  /** A claim that imports something gets its volume. */
  #claimSeen(claim: PersistentVolumeClaim, signal: AbortSignal): void {
    const mounted = this.#imports.get(claim.spec?.volumeName ?? '');
    const isBound = claim.status?.phase === 'Bound';
    if (mounted === undefined || isBound || claim.metadata?.deletionTimestamp !== undefined) return;
    this.#until(signal, async () => {
      try {
        await this.#client.resource(persistentVolumes).create(importedVolume(claim, mounted));
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
    });
  }

  /** The control plane would look at the claim that imports it again in 15 seconds, unless it changes. */
  #volumeReady({ spec, status }: PersistentVolume, signal: AbortSignal): void {
    const { namespace = '', name = '' } = spec?.claimRef ?? {};
    const claim = this.#claims.store.get(namespace, name);
    if (claim === undefined || uidOf(claim) !== spec?.claimRef?.uid) return;
    if (status?.phase !== 'Bound' || claim.status?.phase === 'Bound') return;
    const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' };
    const body = { metadata: { uid: uidOf(claim), annotations } };
    this.#until(signal, async () => {
      try {
        await this.#client.resource(persistentVolumeClaims).patch({ namespace, name }, { type: 'merge', body });
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    });
  }

  /** Its claim is gone. */
  #released(volume: PersistentVolume, signal: AbortSignal): void {
    const kept = keptOf(volume);
    if (kept === undefined) return;
    const isKept = this.#keeping.delete(volume.spec?.claimRef?.uid ?? '') || kept.reclaimPolicy !== 'Delete';
    this.#until(signal, async () => {
      if (!isKept) await this.#shares.delete(kept.share);
      // A volume that its customer made, and keeps, is the customer's to delete.
      if (kept.reclaimPolicy !== 'Delete') return;
      try {
        await this.#client.resource(persistentVolumes).delete({ name: nameOf(volume) });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    });
  }

  #tell(volume: PersistentVolume, what: 'imported' | 'released'): void {
    const kept = keptOf(volume);
    if (kept !== undefined) this.#shares.tell(kept.share, { what, volume: nameOf(volume) });
  }

  /** Tries until it is done or we stop. */
  #until(signal: AbortSignal, step: () => Promise<void>): void {
    const work = (async () => {
      while (!signal.aborted) {
        try {
          await step();
          return;
        } catch {
          await this.#clock.sleep(retryMs, signal);
        }
      }
    })();
    this.#work.add(work);
    void work.then(() => this.#work.delete(work));
  }
}

function boundAs(volume: PersistentVolume): string {
  const { namespace, name } = volume.spec?.claimRef ?? {};
  return name === undefined ? nameOf(volume) : `${namespace}/${name}`;
}

function isReleased({ status }: PersistentVolume): boolean {
  return status?.phase === 'Released';
}

function notFound({ volumeId, location }: Imported): Stored {
  return { refusal: bad('CCI.01.400306', `storage volume is not found: ${volumeId} at ${location}`) };
}
