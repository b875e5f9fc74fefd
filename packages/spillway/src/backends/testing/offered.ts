import type { ContainerStreams, OfferedStreams } from '../backend.ts';

/** Streams of somebody who opens them at once. */
export const offered = (streams: ContainerStreams): OfferedStreams => ({
  tty: streams.tty,
  stdin: streams.stdin !== undefined,
  stdout: streams.stdout !== undefined,
  stderr: streams.stderr !== undefined,
  open: () => Promise.resolve(streams),
});
