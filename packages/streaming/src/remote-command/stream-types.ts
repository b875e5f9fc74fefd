import type { Protocol } from './protocols.ts';
import type { RemoteStreams } from './session.ts';

/** Header of each SPDY stream that says what it is for. */
export const streamTypeHeader = 'streamtype';

export type StreamType = 'error' | 'stdin' | 'stdout' | 'stderr' | 'resize';

export const streamTypes: readonly StreamType[] = ['error', 'stdin', 'stdout', 'stderr', 'resize'];

/** What a client opens, in Kubernetes' order. The error stream, which carries the result, is always there. */
export function expectedStreams(protocol: Protocol, streams: RemoteStreams): StreamType[] {
  const expected: Record<StreamType, boolean> = {
    error: true,
    stdin: streams.stdin,
    stdout: streams.stdout,
    stderr: streams.stderr && !streams.tty,
    resize: streams.tty && protocol.resize,
  };
  return streamTypes.filter((type) => expected[type]);
}

export function isStreamType(type: string | undefined): type is StreamType {
  return streamTypes.some((known) => known === type);
}
