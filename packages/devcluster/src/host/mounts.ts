import { readFile } from 'node:fs/promises';
import { exec } from '../exec.ts';

export interface Mount {
  readonly mountPoint: string;
  readonly fsType: string;
  readonly superOptions: readonly string[];
}

/** Parses /proc/self/mountinfo, see proc_pid_mountinfo(5). */
export function parseMountinfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const separator = fields.indexOf('-');
    const [mountPoint, fsType, superOptions] = [fields[4], fields[separator + 1], fields[separator + 3]];
    if (separator < 6 || mountPoint === undefined || fsType === undefined) continue;
    mounts.push({
      mountPoint: unescapeOctal(mountPoint),
      fsType,
      superOptions: superOptions?.split(',') ?? [],
    });
  }
  return mounts;
}

export async function currentMounts(): Promise<Mount[]> {
  return parseMountinfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** Mount points at or below a folder, the innermost and latest first: the order to unmount them in. */
export function mountsBelow(mounts: readonly Mount[], folder: string): string[] {
  return mounts
    .map((mount) => mount.mountPoint)
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .toReversed();
}

/** Unmounts all at or below the folder. Returns what is still mounted. */
export async function unmountBelow(folder: string): Promise<string[]> {
  const points = mountsBelow(await currentMounts(), folder);
  for (let at = 0; at < points.length; at += 100) {
    await exec('umount', ['--lazy', ...points.slice(at, at + 100)]);
  }
  return mountsBelow(await currentMounts(), folder);
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
