import { randomUUID } from 'node:crypto';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';

/** SFS, and SFS Turbo. */
export type ShareKind = 'sfs' | 'sfs-turbo';

/** A file system of an account, which is a folder of this machine. */
export interface Share {
  readonly id: string;
  readonly kind: ShareKind;
  readonly projectId: string;
  /** As clients mount it: HOST:/PATH */
  readonly exportLocation: string;
  readonly folder: string;
}

export interface ShareEvent {
  /**
   * - `imported`: CCI has a volume of it
   * - `released`: it has that volume no more
   * - `deleted`: the file system is gone, with everything in it
   */
  readonly what: 'created' | 'imported' | 'released' | 'deleted';
  /** Name of the volume */
  readonly volume?: string;
}

/** All file systems of the region, and what has become of each. */
export class Shares {
  readonly #dir: string;
  readonly #region: string;
  readonly #shares = new Map<string, { readonly share: Share; readonly history: ShareEvent[] }>();

  /** @param dir where the folders are made */
  constructor(dir: string, region: string) {
    this.#dir = dir;
    this.#region = region;
  }

  async create(kind: ShareKind, projectId: string): Promise<Share> {
    const id = randomUUID();
    const short = id.slice(0, 8);
    const exportLocation =
      kind === 'sfs' ? `sfs-nas01.${this.#region}.myhuaweicloud.com:/share-${short}` : `${short}.sfsturbo.internal:/`;
    const share = { id, kind, projectId, exportLocation, folder: join(this.#dir, id) };
    await makeFolder(share.folder);
    this.#shares.set(id, { share, history: [{ what: 'created' }] });
    return share;
  }

  /** Undefined for one that never was or is deleted. */
  find(kind: ShareKind, id: string, projectId: string): Share | undefined {
    const { share, history } = this.#shares.get(id) ?? {};
    if (share?.kind !== kind || share.projectId !== projectId) return undefined;
    return history?.some(({ what }) => what === 'deleted') === true ? undefined : share;
  }

  tell(id: string, event: ShareEvent): void {
    this.#shares.get(id)?.history.push(event);
  }

  /** As its owner, or CCI for a volume that it was told to delete. */
  async delete(id: string): Promise<void> {
    const { share } = this.#shares.get(id) ?? {};
    if (share === undefined) return;
    await rm(share.folder, { recursive: true, force: true });
    this.tell(id, { what: 'deleted' });
  }

  read(): readonly { readonly share: Share; readonly history: readonly ShareEvent[] }[] {
    return [...this.#shares.values()];
  }
}

/** The folder that a location stands for; undefined: it is not of this file system. Parts of an SFS Turbo can be mounted by themselves. */
export function folderAt({ kind, exportLocation, folder }: Share, location: string): string | undefined {
  if (!location.startsWith(exportLocation)) return undefined;
  const rest = location.slice(exportLocation.length).replace(/\/$/, '');
  if (rest === '') return folder;
  const isPart = kind === 'sfs-turbo' && posix.normalize(`/${rest}`) === `/${rest}`;
  return isPart ? join(folder, rest) : undefined;
}

/** Whoever a container runs as may write to it, as to a file system that the vendor exports. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o777);
}
