import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { VolumeFile } from '../../../podspec/volumes.ts';
import { hasErrorCode } from '../../errno.ts';

const dataLink = '..data';
const newDataLink = '..data_tmp';
const groupRead = 0o440;
const groupDirectory = 0o2550;

/**
 * Writes a volume's files so that a container sees all old or all new ones, in the kubelet's layout:
 *
 * ```
 * volume/..2026_11_23_Xb3k1/key   the content
 * volume/..data -> ..2026_11_23_Xb3k1     replaced by rename(2)
 * volume/key    -> ..data/key
 * ```
 *
 * May be called again with other files. `fsGroup` gets read access, as it does from the kubelet.
 */
export async function writeAtomically(volume: string, files: readonly VolumeFile[], fsGroup?: number): Promise<void> {
  const previous = await readlink(join(volume, dataLink)).catch(() => undefined);
  const directory = await mkdtemp(join(volume, `..${new Date().toISOString().slice(0, 19).replace(/\D/g, '_')}.`));
  await setOwner(directory, 0o755, true, undefined, fsGroup);
  for (const file of files) await writeOne(directory, file, fsGroup);

  await rm(join(volume, newDataLink), { force: true });
  await symlink(directory.slice(volume.length + 1), join(volume, newDataLink));
  await rename(join(volume, newDataLink), join(volume, dataLink));

  const names = new Set(files.map(({ path }) => path.split('/')[0] ?? path));
  for (const name of names) {
    const link = join(volume, name);
    const exists = await lstat(link).then(
      () => true,
      () => false,
    );
    if (!exists) await symlink(`${dataLink}/${name}`, link);
  }
  for (const entry of await readdir(volume, { withFileTypes: true })) {
    if (entry.isSymbolicLink() && entry.name !== dataLink && !names.has(entry.name)) await rm(join(volume, entry.name));
  }
  if (previous !== undefined) await rm(join(volume, previous), { recursive: true, force: true });
}

async function writeOne(root: string, { path, mode, content, uid }: VolumeFile, fsGroup?: number): Promise<void> {
  let directory = root;
  for (const name of dirname(path).split('/')) {
    if (name === '.') continue;
    directory = join(directory, name);
    const made = await mkdir(directory).then(() => true, ignoreExisting);
    if (made) await setOwner(directory, 0o755, true, undefined, fsGroup);
  }
  const file = join(root, path);
  await writeFile(file, content, { mode: 0o600 });
  await setOwner(file, mode, false, uid, fsGroup);
}

/** After the content: the mode is what was asked for, whatever the umask. */
async function setOwner(path: string, mode: number, isDirectory: boolean, uid = 0, fsGroup?: number): Promise<void> {
  if (uid !== 0 || fsGroup !== undefined) await chown(path, uid, fsGroup ?? 0);
  const extra = fsGroup === undefined ? 0 : isDirectory ? groupDirectory : groupRead;
  await chmod(path, mode | extra);
}

function ignoreExisting(error: unknown): false {
  if (hasErrorCode(error, 'EEXIST')) return false;
  throw error;
}
