import { mkdir, open, writeFile, chmod } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Container } from '@spillway/kube';
import { hasErrorCode } from '../../errno.ts';
import type { Mount } from '../generated/runtime/v1/Mount.ts';

const defaultMessagePath = '/dev/termination-log';
const hostsPath = '/etc/hosts';
const maxMessageBytes = 4096;

/** The files that every container gets besides its volumes: `/etc/hosts`, and where it leaves its last words. */
export class ContainerFiles {
  readonly #directory: string;

  constructor(podDirectory: string) {
    this.#directory = podDirectory;
  }

  async writeHosts(text: string): Promise<void> {
    const path = join(this.#directory, 'etc-hosts');
    await writeFile(path, text);
    await chmod(path, 0o644);
  }

  async mountsOf(container: Container, attempt: number): Promise<Mount[]> {
    const message = this.#messageFile(container.name, attempt);
    await mkdir(dirname(message), { recursive: true });
    await writeFile(message, '', { flag: 'a' });
    // Whatever user the container runs as may write it.
    await chmod(message, 0o666);
    const mounts: Mount[] = [
      { hostPath: message, containerPath: container.terminationMessagePath || defaultMessagePath },
    ];
    const own = container.volumeMounts?.some(({ mountPath }) => mountPath === hostsPath);
    if (!own) mounts.push({ hostPath: join(this.#directory, 'etc-hosts'), containerPath: hostsPath });
    return mounts;
  }

  /** What the container wrote to its termination message path, at most 4 KiB. */
  async terminationMessage(container: string, attempt: number): Promise<string> {
    try {
      const file = await open(this.#messageFile(container, attempt));
      try {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(maxMessageBytes), 0, maxMessageBytes, 0);
        return buffer.toString('utf8', 0, bytesRead);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return '';
      throw error;
    }
  }

  #messageFile(container: string, attempt: number): string {
    return join(this.#directory, 'containers', container, `${attempt}.message`);
  }
}
