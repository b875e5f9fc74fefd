import { access, mkdir, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CgroupLimits } from '../../podspec/cgroups.ts';
import { hasErrorCode } from '../errno.ts';

const busyRetries = 20;
const busyDelayMs = 50;

/**
 * Each pod's own control group, so that its containers together weigh and use no more than the pod asked for. Works with
 * cgroup v2 and with the older one folder for each controller.
 */
export class PodCgroups {
  readonly #root: string;
  readonly #parent: string;

  /** @param parent e.g. `/spillway`; empty: pods get no group of their own. */
  constructor(parent: string, root = '/sys/fs/cgroup') {
    this.#parent = parent;
    this.#root = root;
  }

  /** The group for the runtime's configuration; empty: the runtime's own. */
  pathOf(uid: string): string {
    return this.#parent === '' ? '' : `${this.#parent}/pod${uid}`;
  }

  async create(uid: string, limits: CgroupLimits): Promise<void> {
    const path = this.pathOf(uid);
    if (path === '') return;
    if (await this.#isUnified()) await this.#createUnified(path, limits);
    else await this.#createSplit(path, limits);
  }

  /** Also when it was never made. Groups of containers that the runtime left behind go too. */
  async remove(uid: string): Promise<void> {
    const path = this.pathOf(uid);
    if (path === '') return;
    const hierarchies = (await this.#isUnified()) ? ['.'] : await readdir(this.#root);
    await Promise.all(hierarchies.map((hierarchy) => removeGroup(join(this.#root, hierarchy, path))));
  }

  #isUnified(): Promise<boolean> {
    return access(join(this.#root, 'cgroup.controllers')).then(
      () => true,
      () => false,
    );
  }

  async #createUnified(path: string, { cpuShares, cpuQuota, cpuPeriod, memoryBytes }: CgroupLimits): Promise<void> {
    const group = join(this.#root, path);
    await mkdir(group, { recursive: true });
    const names = path.split('/').filter(Boolean);
    for (let depth = 0; depth < names.length; depth++) {
      const ancestor = join(this.#root, ...names.slice(0, depth));
      for (const controller of ['cpu', 'memory', 'pids']) {
        // A controller that the machine does not offer is no reason not to run.
        await writeFile(join(ancestor, 'cgroup.subtree_control'), `+${controller}`).catch(() => undefined);
      }
    }
    // Weights from 1 to 10000 for shares from 2 to 262144, as the kubelet converts them.
    await set(group, 'cpu.weight', String(1 + Math.floor(((cpuShares - 2) * 9999) / 262_142)));
    await set(group, 'cpu.max', `${cpuQuota ?? 'max'} ${cpuPeriod}`);
    await set(group, 'memory.max', String(memoryBytes ?? 'max'));
  }

  async #createSplit(path: string, { cpuShares, cpuQuota, cpuPeriod, memoryBytes }: CgroupLimits): Promise<void> {
    const cpu = join(this.#root, 'cpu', path);
    const memory = join(this.#root, 'memory', path);
    await mkdir(cpu, { recursive: true });
    await mkdir(memory, { recursive: true });
    await set(cpu, 'cpu.shares', String(cpuShares));
    await set(cpu, 'cpu.cfs_period_us', String(cpuPeriod));
    await set(cpu, 'cpu.cfs_quota_us', String(cpuQuota ?? -1));
    await set(memory, 'memory.limit_in_bytes', String(memoryBytes ?? -1));
  }
}

async function set(group: string, file: string, value: string): Promise<void> {
  await writeFile(join(group, file), value);
}

/** A group can be removed once its processes are reaped, which may take a moment after the last container ended. */
async function removeGroup(path: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await removeTree(path);
      return;
    } catch (error) {
      if (!hasErrorCode(error, 'EBUSY') || attempt >= busyRetries) throw error;
    }
    await delay(busyDelayMs);
  }
}

/** Control files cannot be deleted and need not be: only folders go, the deepest first. The runtime may be removing some, too. */
async function removeTree(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(ignoreMissing);
  for (const entry of entries ?? []) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  if (entries) await rmdir(path).catch(ignoreMissing);
}

function ignoreMissing(error: unknown): undefined {
  if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR')) throw error;
}
