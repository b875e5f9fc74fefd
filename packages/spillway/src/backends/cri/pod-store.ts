import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendError, type InstanceRef, type Workload } from '../backend.ts';
import { hasErrorCode } from '../errno.ts';
import { parseJson } from '../trusted.ts';
import { decodeWorkload, encodeWorkload } from '../workload-codec.ts';
import type { Intent } from './pod/plan.ts';

export interface StoredPod {
  readonly workload: Workload;
  readonly intent: Intent;
}

/**
 * What outlives the process: one folder for each instance, written before anything of it exists in the runtime.
 *
 * ```
 * STATE/pods/UID/workload.json   the resolved workload, with its Secrets: mode 0600
 * STATE/pods/UID/intent.json     what was asked of it since
 * STATE/pods/UID/…               volumes, hosts file, termination messages
 * STATE/logs/NAMESPACE_NAME_UID/CONTAINER/ATTEMPT.log
 * ```
 */
export class PodStore {
  readonly #stateDir: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  async prepare(): Promise<void> {
    await mkdir(this.#stateDir, { recursive: true, mode: 0o700 });
    await mkdir(join(this.#stateDir, 'pods'), { recursive: true, mode: 0o700 });
    await mkdir(join(this.#stateDir, 'logs'), { recursive: true, mode: 0o700 });
  }

  directoryOf(uid: string): string {
    return join(this.#stateDir, 'pods', checkedName(uid));
  }

  logDirectoryOf({ namespace, name, uid }: InstanceRef): string {
    // Readable, but never longer than a file system allows.
    return join(this.#stateDir, 'logs', checkedName(`${namespace}_${name.slice(0, 128)}_${uid}`));
  }

  /** UIDs of all stored instances. */
  async list(): Promise<string[]> {
    return await readdir(join(this.#stateDir, 'pods'));
  }

  /** Undefined when nothing complete is stored: the process died while it wrote, and nothing else exists of the instance. */
  async read(uid: string): Promise<StoredPod | undefined> {
    const directory = this.directoryOf(uid);
    const [workload, intent] = await Promise.all([
      readIfThere(join(directory, 'workload.json')),
      readIfThere(join(directory, 'intent.json')),
    ]);
    if (workload === undefined || intent === undefined) return undefined;
    try {
      return { workload: decodeWorkload(workload), intent: parseJson<Intent>(intent) };
    } catch (error) {
      throw new BackendError('internal', `stored instance ${uid} in ${directory} cannot be read`, { cause: error });
    }
  }

  async create({ workload, intent }: StoredPod): Promise<void> {
    const directory = this.directoryOf(workload.ref.uid);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await this.writeWorkload(workload);
    // Last: only with it is the instance complete.
    await this.writeIntent(workload.ref.uid, intent);
  }

  /** The instance is there already; the workload is other than it was. */
  async writeWorkload(workload: Workload): Promise<void> {
    await replaceFile(join(this.directoryOf(workload.ref.uid), 'workload.json'), encodeWorkload(workload));
  }

  async writeIntent(uid: string, intent: Intent): Promise<void> {
    await replaceFile(join(this.directoryOf(uid), 'intent.json'), JSON.stringify(intent));
  }

  /** Takes away what was stored by halves. */
  async discard(uid: string): Promise<void> {
    await rm(this.directoryOf(uid), { recursive: true, force: true });
  }

  async remove(ref: InstanceRef): Promise<void> {
    await rm(this.logDirectoryOf(ref), { recursive: true, force: true });
    await rm(this.directoryOf(ref.uid), { recursive: true, force: true });
  }
}

/** A name that stays one name in a path. */
function checkedName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new BackendError('invalid', `"${name}" cannot be the name of a folder`);
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
