import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../testkit/run-command.ts';

/** Runs buildah on a storage of its own, as root and in no more than a chroot: where containers cannot be nested, too. */
export class Buildah {
  readonly #storage: readonly string[];
  readonly #signal: AbortSignal;

  private constructor(storage: readonly string[], signal: AbortSignal) {
    this.#storage = storage;
    this.#signal = signal;
  }

  static async in(folder: string, signal: AbortSignal): Promise<Buildah> {
    await mkdir(folder, { recursive: true });
    const storage = ['--root', path.join(folder, 'root'), '--runroot', path.join(folder, 'run')];
    const buildah = new Buildah(storage, signal);
    // Of builds that were killed.
    await buildah.run('rm', '--all');
    return buildah;
  }

  async run(command: string, ...args: readonly string[]): Promise<string> {
    return (await run('buildah', [...this.#storage, command, ...args], { signal: this.#signal })).trim();
  }

  async has(image: string): Promise<boolean> {
    return (await this.run('images', '--format', '{{.Name}}:{{.Tag}}')).split('\n').includes(image);
  }
}
