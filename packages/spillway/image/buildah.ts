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
    return await this.#run([command, ...args]);
  }

  /** Builds by a Containerfile, and tells the steps that take time, for example `[1/2] STEP 4/7: RUN npm install`. */
  async build(report: (step: string) => void, ...args: readonly string[]): Promise<void> {
    await this.#run(['bud', ...args], (line) => {
      const [step] = /^(\[\d+\/\d+\] )?STEP \d+\/\d+: (FROM|RUN|COPY) .{1,60}/.exec(line) ?? [];
      if (step !== undefined) report(step);
    });
  }

  async has(image: string): Promise<boolean> {
    return (await this.run('images', '--format', '{{.Name}}:{{.Tag}}')).split('\n').includes(image);
  }

  async #run(args: readonly string[], onLine?: (line: string) => void): Promise<string> {
    const options = { signal: this.#signal, ...(onLine && { onLine }) };
    return (await run('buildah', [...this.#storage, ...args], options)).trim();
  }
}
