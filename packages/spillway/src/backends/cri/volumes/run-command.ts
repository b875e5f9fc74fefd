import { execFile } from 'node:child_process';
import { BackendError } from '../../backend.ts';

/** Runs a system tool to its end. For the few things that Node cannot do itself: mounts. */
export function runCommand(command: string, args: readonly string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  execFile(command, args, { timeout: 60_000 }, (error, _stdout, stderr) => {
    if (!error) resolve();
    else reject(new BackendError('internal', `${command} failed: ${stderr.trim() || error.message}`, { cause: error }));
  });
  return promise;
}
