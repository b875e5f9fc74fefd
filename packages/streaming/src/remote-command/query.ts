import { StreamError } from '../errors.ts';
import type { RemoteStreams } from './session.ts';

export interface RemoteCommandQuery extends RemoteStreams {
  /** Empty for attach. */
  readonly command: readonly string[];
}

/**
 * Reads the kubelet's parameters (`input`, `output`, `error`, `tty` = `1`, `command` repeated), which are not the API
 * server's (`stdin=true`…). As in the kubelet a terminal has no stderr of its own: it is dropped without complaint.
 *
 * @throws {StreamError} `invalid` when no stream is asked for
 */
export function parseRemoteCommandQuery(params: URLSearchParams): RemoteCommandQuery {
  const wanted = (name: string): boolean => params.get(name) === '1';
  const tty = wanted('tty');
  const streams = { stdin: wanted('input'), stdout: wanted('output'), stderr: wanted('error') && !tty };
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    throw new StreamError('invalid', 'you must specify at least 1 of stdin, stdout, stderr', { status: 400 });
  }
  return { command: params.getAll('command'), ...streams, tty };
}
