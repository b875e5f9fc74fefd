import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Settings of the whole machine that a kubelet changes when it starts, and has no option to leave alone. */
const changedByKubelet = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

/**
 * Least values for nodes. A kubelet with containerd holds about twenty instances of inotify, and each `logs -f` one more,
 * of the machine's 128 for all of root's processes; without one, a followed log ends with "too many open files".
 */
const neededByNodes = { 'fs/inotify/max_user_instances': 8192 };

/** Values by path below /proc/sys. */
export type Sysctls = Readonly<Record<string, string>>;

export async function readSysctls(root = '/proc/sys'): Promise<Sysctls> {
  const values: Record<string, string> = {};
  for (const name of [...changedByKubelet, ...Object.keys(neededByNodes)]) {
    const value = await readFile(join(root, name), 'utf8').catch(() => undefined);
    if (value !== undefined) values[name] = value.trim();
  }
  return values;
}

/** Raises what is lower than nodes need. */
export async function raiseSysctls(root = '/proc/sys'): Promise<void> {
  const current = await readSysctls(root);
  for (const [name, least] of Object.entries(neededByNodes)) {
    if (Number(current[name]) < least) await writeFile(join(root, name), String(least));
  }
}

/** Writes only what differs. */
export async function restoreSysctls(wanted: Sysctls, root = '/proc/sys'): Promise<void> {
  const current = await readSysctls(root);
  for (const [name, value] of Object.entries(wanted)) {
    if (current[name] !== undefined && current[name] !== value) await writeFile(join(root, name), value);
  }
}
