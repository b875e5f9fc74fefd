import type { StrangerLimits } from '../https/strangers.ts';

export interface KubeletLimits {
  /** Of one request, its line included; default 1 MiB, because the command of an exec is part of the line. */
  readonly maxHeaderBytes: number;
  /** Default 4096. */
  readonly maxConnections: number;
  /**
   * Connections on which nobody has logged in. Default: 64 from one address and 512 in all, each for 30 s and 128 KiB, which
   * has room for a command as long as Linux takes one argument.
   */
  readonly strangers: Required<StrangerLimits>;
  /** Logs and commands at the same time; default 1024. */
  readonly maxStreams: number;
  /** How long a command may have no traffic at all, pings included; default 4 h, as in the kubelet. */
  readonly streamIdleTimeoutMs: number;
  /** How long a client may take to open the streams of its command; default 30 s, as in the kubelet. */
  readonly streamCreationTimeoutMs: number;
  /** How long requests may take to end when the server closes; default 5 s. */
  readonly closeTimeoutMs: number;
}

export function resolveLimits(limits: Partial<KubeletLimits> = {}): KubeletLimits {
  return {
    maxHeaderBytes: 1024 * 1024,
    maxConnections: 4096,
    strangers: { perAddress: 64, inAll: 512, openMs: 30_000, bytes: 128 * 1024 },
    maxStreams: 1024,
    streamIdleTimeoutMs: 4 * 60 * 60 * 1000,
    streamCreationTimeoutMs: 30_000,
    closeTimeoutMs: 5_000,
    ...limits,
  };
}
