import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Container } from '@spillway/kube';
import { expand } from '../../../podspec/expansion.ts';
import { podResources } from '../../../podspec/resources.ts';
import { units } from '../../../podspec/quantities.ts';
import type { ResolvedVolume } from '../../../podspec/volumes.ts';
import { BackendError, type Workload } from '../../backend.ts';
import type { Mount } from '../generated/runtime/v1/Mount.ts';
import { writeAtomically } from './atomic-writer.ts';
import { runCommand } from './run-command.ts';
import { isSame, openInside } from './safe-path.ts';

/** A pod's volumes below its folder: `volumes/NAME`, and `subpaths/VOLUME/CONTAINER/INDEX` for mounts of parts of them. */
export class PodVolumes {
  readonly #directory: string;

  constructor(podDirectory: string) {
    this.#directory = podDirectory;
  }

  /** Makes all volumes of the workload; what is there stays as it is. */
  async setUp(workload: Workload): Promise<void> {
    const fsGroup = workload.pod.spec?.securityContext?.fsGroup;
    for (const [name, volume] of workload.volumes) {
      const path = this.#path(name);
      const made = (await mkdir(path, { recursive: true })) !== undefined;
      if (made) await share(path, fsGroup);
      if (volume.kind === 'files') await writeAtomically(path, volume.files, fsGroup);
      else if (volume.medium === 'Memory') await mountMemory(path, memorySize(workload, volume), fsGroup);
    }
  }

  /** Writes the files of volumes that have been set up; others get them when they are. */
  async update(workload: Workload, names: Iterable<string>): Promise<void> {
    const fsGroup = workload.pod.spec?.securityContext?.fsGroup;
    for (const name of names) {
      const volume = workload.volumes.get(name);
      const isThere = volume?.kind === 'files' && (await stat(this.#path(name)).catch(() => undefined)) !== undefined;
      if (isThere) await writeAtomically(this.#path(name), volume.files, fsGroup);
    }
  }

  /** The mounts of a container, its `subPathExpr` expanded with its variables. */
  async mountsOf(workload: Workload, container: Container, environment: ReadonlyMap<string, string>): Promise<Mount[]> {
    const mounts: Mount[] = [];
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const volume = workload.volumes.get(mount.name);
      if (!volume)
        throw new BackendError(
          'invalid',
          `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
        );
      const subPath = mount.subPathExpr ? expandSubPath(mount.subPathExpr, environment) : (mount.subPath ?? '');
      const whole = this.#path(mount.name);
      const hostPath = subPath ? await this.#bind(mount.name, container.name, index, subPath) : whole;
      const containerPath = mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`;
      mounts.push({ hostPath, containerPath, readonly: mount.readOnly === true || volume.kind === 'files' });
    }
    return mounts;
  }

  /** Takes away everything that is mounted below the pod's folder, so that it can be deleted. */
  async tearDown(): Promise<void> {
    const mounted = (await mountPoints()).filter((path) => path.startsWith(`${this.#directory}/`));
    for (const path of mounted.toReversed()) await runCommand('umount', [path]);
  }

  /** A part of a volume, bound to a place of its own, so that what was checked is what is mounted. */
  async #bind(volume: string, container: string, index: number, subPath: string): Promise<string> {
    const target = join(this.#directory, 'subpaths', volume, container, String(index));
    const source = await openInside(this.#path(volume), subPath);
    try {
      const found = await source.stat({ bigint: true });
      const current = await stat(target, { bigint: true }).catch(() => undefined);
      if (current && isSame(found, current)) return target;
      if ((await mountPoints()).includes(target)) await runCommand('umount', [target]);
      await mkdir(found.isDirectory() ? target : dirname(target), { recursive: true });
      if (!found.isDirectory()) await writeFile(target, '');
      await runCommand('mount', ['-c', '--bind', `/proc/${process.pid}/fd/${source.fd}`, target]);
      return target;
    } finally {
      await source.close();
    }
  }

  #path(volume: string): string {
    return join(this.#directory, 'volumes', volume);
  }
}

async function mountMemory(path: string, sizeBytes: bigint | undefined, fsGroup: number | undefined): Promise<void> {
  if ((await mountPoints()).includes(path)) return;
  const size = sizeBytes === undefined ? [] : ['-o', `size=${sizeBytes}`];
  await runCommand('mount', ['-t', 'tmpfs', ...size, 'tmpfs', path]);
  await share(path, fsGroup);
}

/** The limit, but never more than the pod's memory, which it counts against. */
function memorySize({ pod }: Workload, volume: ResolvedVolume & { kind: 'emptyDir' }): bigint | undefined {
  const { containers = [] } = pod.spec ?? {};
  const limited = containers.every(({ resources }) => resources?.limits?.['memory'] !== undefined);
  const limits = [volume.sizeLimitBytes, limited ? units(podResources(pod, 'limits').get('memory') ?? 0n) : undefined];
  return limits.filter((each) => each !== undefined && each > 0n).toSorted((a, b) => (a! < b! ? -1 : 1))[0];
}

async function share(path: string, fsGroup: number | undefined): Promise<void> {
  if (fsGroup !== undefined) await chown(path, 0, fsGroup);
  await chmod(path, fsGroup === undefined ? 0o777 : 0o2777);
}

function expandSubPath(expression: string, environment: ReadonlyMap<string, string>): string {
  const unknown: string[] = [];
  const path = expand(expression, (name) => {
    const value = environment.get(name);
    if (value === undefined) unknown.push(name);
    return value;
  });
  if (unknown.length > 0) {
    throw new BackendError(
      'invalid',
      `subPathExpr "${expression}" names variables that are not set: ${unknown.join(', ')}`,
    );
  }
  return path;
}

async function mountPoints(): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  // Fields: id parent major:minor root mountpoint …; spaces in paths are octal escapes.
  return table.split('\n').flatMap((line) => {
    const path = line.split(' ')[4];
    return path === undefined
      ? []
      : [path.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))];
  });
}
