import type { Container } from '@spillway/kube';
import { join } from 'node:path';
import { logPath } from '../config/container.ts';
import { readLog } from '../logs/read-log.ts';
import { ContainerFiles } from './container-files.ts';
import type { ObservedContainer } from './observed.ts';

const maxLogLines = 80;
const maxLogBytes = 2048;

export interface Folders {
  readonly podDirectory: string;
  readonly logDirectory: string;
}

/**
 * What an ended container wants people to read: its termination message, or the end of its log where the pod asks for that
 * and the container failed without a message. The kubelet's limits.
 */
export async function terminationMessage(
  { podDirectory, logDirectory }: Folders,
  container: Container,
  { attempt, exitCode }: ObservedContainer,
): Promise<string> {
  const message = await new ContainerFiles(podDirectory).terminationMessage(container.name, attempt);
  const fallback = container.terminationMessagePolicy === 'FallbackToLogsOnError';
  if (message !== '' || exitCode === 0 || !fallback) return message;
  return await endOfLog(join(logDirectory, logPath(container.name, attempt)));
}

async function endOfLog(path: string): Promise<string> {
  const parts: Uint8Array[] = [];
  const sink = { write: async (chunk: Uint8Array): Promise<void> => void parts.push(chunk) };
  const options = { follow: false, timestamps: false, tailLines: maxLogLines, stream: 'All' } as const;
  await readLog(path, options, sink, () => true, new AbortController().signal);
  const text = Buffer.concat(parts);
  return text.subarray(Math.max(text.length - maxLogBytes, 0)).toString('utf8');
}
