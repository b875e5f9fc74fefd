import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../errors.ts';
import type { Mount } from './mounts.ts';

/** Where this machine keeps its cgroups. Version 1 has a hierarchy for each controller, version 2 one for all. */
export interface CgroupLayout {
  readonly version: 1 | 2;
  readonly hierarchies: readonly string[];
}

/**
 * A machine with any v1 controller is a v1 machine; a v2 tree that is mounted beside holds no controllers there, but
 * runtimes still make groups in it.
 */
export function cgroupLayout(mounts: readonly Mount[]): CgroupLayout | undefined {
  const v1 = mounts.filter((mount) => mount.fsType === 'cgroup').map((mount) => mount.mountPoint);
  const v2 = mounts.filter((mount) => mount.fsType === 'cgroup2').map((mount) => mount.mountPoint);
  if (v1.length > 0) return { version: 1, hierarchies: [...v1, ...v2] };
  return v2[0] === undefined ? undefined : { version: 2, hierarchies: [v2[0]] };
}

/** The folders of one cgroup (`/name/part`), one for each hierarchy. */
export function cgroupFolders(layout: CgroupLayout, path: string): string[] {
  return layout.hierarchies.map((hierarchy) => join(hierarchy, path));
}

/** Makes a cgroup in every hierarchy, ready to hold processes and further cgroups. */
export async function createCgroup(layout: CgroupLayout, path: string): Promise<void> {
  for (const folder of cgroupFolders(layout, path)) {
    const parts = path.split('/').filter((part) => part !== '');
    let current = folder.slice(0, folder.length - path.length);
    for (const part of parts) {
      const parent = current;
      current = join(current, part);
      await mkdir(current, { recursive: true });
      if (layout.version === 1) await inheritCpuset(parent, current);
      else await delegateControllers(parent);
    }
  }
}

/** cgroup v1: a new cpuset is empty and takes no process until it is filled. */
async function inheritCpuset(parent: string, child: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (!existsSync(join(child, file))) continue;
    if ((await readFile(join(child, file), 'utf8')).trim() !== '') continue;
    await writeFile(join(child, file), await readFile(join(parent, file), 'utf8'));
  }
}

/** cgroup v2: children get only the controllers that their parent hands on. */
async function delegateControllers(parent: string): Promise<void> {
  const available = (await readFile(join(parent, 'cgroup.controllers'), 'utf8')).trim().split(/\s+/);
  const enabled = (await readFile(join(parent, 'cgroup.subtree_control'), 'utf8')).trim().split(/\s+/);
  for (const controller of available) {
    if (controller === '' || enabled.includes(controller)) continue;
    await writeFile(join(parent, 'cgroup.subtree_control'), `+${controller}`);
  }
}

/** Every process in the cgroup or below it, in whichever hierarchy. */
export async function processesIn(layout: CgroupLayout, path: string): Promise<Set<number>> {
  const pids = new Set<number>();
  for (const folder of cgroupFolders(layout, path)) {
    for await (const below of walk(folder)) {
      const text = await readFile(join(below, 'cgroup.procs'), 'utf8').catch(() => '');
      for (const line of text.split('\n')) if (line !== '') pids.add(Number(line));
    }
  }
  return pids;
}

/** Removes the cgroup and all below it; they must be empty of processes. Returns the folders that could not be removed. */
export async function removeCgroup(layout: CgroupLayout, path: string): Promise<string[]> {
  const left: string[] = [];
  for (const folder of cgroupFolders(layout, path)) {
    for await (const below of walk(folder)) {
      try {
        await rmdir(below);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') left.push(below);
      }
    }
  }
  return left;
}

/** The folder and everything below, children before their parents. */
async function* walk(folder: string): AsyncGenerator<string> {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  for (const entry of entries) if (entry.isDirectory()) yield* walk(join(folder, entry.name));
  yield folder;
}
