import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { at, parseJson, textAt } from '../json.ts';
import type { Run } from './bills.ts';
import { type ContainerTimes, runOf } from './run-of.ts';

const execute = promisify(execFile);

/**
 * The containers of a containerd, from what its CRI plugin keeps on disk: a folder for each, with a file of its times. Whose a
 * container is says its label, which is asked for once.
 */
export class ContainerRuns {
  readonly #socket: string;
  readonly #folder: string;
  readonly #pods = new Map<string, string>();

  /** @param socket in the folder that also has containerd's `root` */
  constructor(socket: string) {
    this.#socket = socket;
    this.#folder = join(dirname(socket), 'root', 'io.containerd.grpc.v1.cri', 'containers');
  }

  async read(): Promise<readonly Run[]> {
    const ids = await readdir(this.#folder).catch(unlessMissing);
    for (const id of this.#pods.keys()) if (!ids.includes(id)) this.#pods.delete(id);
    const byPod = new Map<string, ContainerTimes[]>();
    for (const id of ids) {
      const [pod, times] = await Promise.all([this.#podOf(id), this.#timesOf(id)]);
      if (pod !== undefined && times) byPod.set(pod, [...(byPod.get(pod) ?? []), times]);
    }
    return Array.from(byPod, ([pod, times]) => runOf(pod, times) ?? []).flat();
  }

  /** Undefined: it has gone in this moment, or is still being made. */
  async #podOf(id: string): Promise<string | undefined> {
    const known = this.#pods.get(id);
    if (known !== undefined) return known;
    try {
      const { stdout } = await execute('ctr', ['--address', this.#socket, '-n', 'k8s.io', 'containers', 'info', id]);
      const pod = textAt(parseJson(Buffer.from(stdout)), 'Labels', 'io.kubernetes.pod.uid');
      if (pod !== undefined) this.#pods.set(id, pod);
      return pod;
    } catch {
      return undefined;
    }
  }

  async #timesOf(id: string): Promise<ContainerTimes | undefined> {
    const status = await readFile(join(this.#folder, id, 'status')).catch(() => undefined);
    return status && timesIn(status);
  }
}

/** @param status as containerd writes it: times in nanoseconds, 0 for never */
export function timesIn(status: Uint8Array): ContainerTimes {
  const parsed = parseJson(status);
  const time = (name: string): number | undefined => {
    const value = at(parsed, name);
    return typeof value === 'number' && value > 0 ? value / 1e6 : undefined;
  };
  return { startedMs: time('StartedAt'), finishedMs: time('FinishedAt') };
}

function unlessMissing(error: unknown): string[] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
  throw error;
}
