import { text } from 'node:stream/consumers';
import { type KubeClient, type ObjectRef, TransportError } from '@spillway/kube';
import { dialRemoteCommand, StreamError } from '@spillway/streaming';

/** What a command in the first container of a pod prints. @throws ApiError, TransportError: it could not be run, or failed */
export async function runInPod(
  client: KubeClient,
  { namespace = '', name }: ObjectRef,
  command: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/exec`;
  const query = { command: [...command], stdout: true, stderr: true };
  const target = await client.upgrade({ path, query });
  const streams = { stdin: false, stdout: true, stderr: true, tty: false };
  const remote = await dialRemoteCommand({ ...target, streams, signal }).catch((error: unknown) => {
    if (error instanceof StreamError && error.answer !== undefined) throw target.refused(error.answer);
    throw failed(String(error), error);
  });
  try {
    const [out, complaint, result] = await Promise.all([
      remote.stdout ? text(remote.stdout) : '',
      remote.stderr ? text(remote.stderr) : '',
      remote.status,
    ]);
    if ('error' in result) throw failed(result.error);
    if (result.exitCode !== 0) throw failed(`it ended with exit code ${result.exitCode}: ${complaint.trim()}`);
    return out;
  } catch (error) {
    throw error instanceof StreamError ? failed(error.message, error) : error;
  } finally {
    await remote.close();
  }
}

const failed = (why: string, cause?: unknown): TransportError => new TransportError('protocol', why, { cause });
