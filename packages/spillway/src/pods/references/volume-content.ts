import { createHash } from 'node:crypto';
import type { Secret } from '@spillway/kube';
import type { ResolvedVolume, VolumeFile } from '../../podspec/volumes.ts';

/** What volumes hold, by volume name; only volumes of kind `files`. */
export type VolumeDigests = ReadonlyMap<string, string>;

export function digestsOf(volumes: ReadonlyMap<string, ResolvedVolume>): VolumeDigests {
  const digests = new Map<string, string>();
  for (const [name, volume] of volumes) if (volume.kind === 'files') digests.set(name, digestOf(volume.files));
  return digests;
}

/** The volumes that hold something else than `applied`; all of them when it is not known what was applied. */
export function changedVolumes(
  volumes: ReadonlyMap<string, ResolvedVolume>,
  applied: VolumeDigests | undefined,
): ReadonlyMap<string, readonly VolumeFile[]> {
  const changed = new Map<string, readonly VolumeFile[]>();
  for (const [name, volume] of volumes) {
    if (volume.kind === 'files' && applied?.get(name) !== digestOf(volume.files)) changed.set(name, volume.files);
  }
  return changed;
}

/** What pull Secrets hold, in their order; one that is missing counts as empty. */
export function digestOfSecrets(secrets: readonly (Secret | undefined)[]): string {
  const contents = secrets.map((secret) => sorted(secret?.data ?? {}));
  return createHash('sha256').update(JSON.stringify(contents)).digest('base64');
}

function sorted(record: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** The same files in another order are the same. */
function digestOf(files: readonly VolumeFile[]): string {
  const hash = createHash('sha256');
  for (const { path, mode, uid = 0, content } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    // Lengths, so that no two lists of files read the same.
    hash.update(`${Buffer.byteLength(path)}:${path}:${mode}:${uid}:${content.byteLength}:`).update(content);
  }
  return hash.digest('base64');
}
