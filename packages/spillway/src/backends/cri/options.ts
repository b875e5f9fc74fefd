import { resolve } from 'node:path';
import { type Capacity, BackendError } from '../backend.ts';

/** A pool whose pods run in a containerd (or another CRI runtime) that belongs to Spillway alone. */
export interface CriBackendOptions {
  /** Path of the runtime's unix socket. No kubelet may use the same runtime: it kills what it does not know. */
  readonly socket: string;
  /** Folder for workloads, volumes and logs. Must outlive the process, and belong to one pool. */
  readonly stateDir: string;
  /** Cgroup under which each pod gets its own, e.g. `/spillway`. Empty: the runtime's default, without pod-level limits. Default `/spillway`. */
  readonly cgroupParent?: string;
  /** How many pods and containers are being started at a time. Default 8, the best of what was measured on 2 cores. */
  readonly maxParallelStarts?: number;
  /** What the node offers. Default: the machine's. */
  readonly capacity?: Partial<Capacity>;
  /** How often the runtime is asked what changed. Default 1000. */
  readonly pollIntervalMs?: number;
  /** A container's log file is rotated beyond this size. Default 10 MiB. */
  readonly logMaxBytes?: number;
  /** Log files kept for each container, the current one included. Default 5. */
  readonly logMaxFiles?: number;
  /** Whether `privileged: true` is accepted: such a container is root on the machine. Default false. */
  readonly allowPrivileged?: boolean;
}

export type ResolvedCriOptions = Required<Omit<CriBackendOptions, 'capacity'>> & Pick<CriBackendOptions, 'capacity'>;

export function resolveCriOptions(options: CriBackendOptions): ResolvedCriOptions {
  const resolved = {
    cgroupParent: '/spillway',
    maxParallelStarts: 8,
    pollIntervalMs: 1000,
    logMaxBytes: 10 * 1024 * 1024,
    logMaxFiles: 5,
    allowPrivileged: false,
    ...options,
    socket: resolve(options.socket.replace(/^unix:\/\//, '')),
    stateDir: resolve(options.stateDir),
  };
  positive('maxParallelStarts', resolved.maxParallelStarts);
  positive('pollIntervalMs', resolved.pollIntervalMs);
  positive('logMaxBytes', resolved.logMaxBytes);
  positive('logMaxFiles', resolved.logMaxFiles);
  if (resolved.cgroupParent !== '' && !/^(\/[\w.-]+)+$/.test(resolved.cgroupParent)) {
    throw new BackendError('invalid', `cgroupParent "${resolved.cgroupParent}" is not a cgroup path such as /spillway`);
  }
  return resolved;
}

function positive(name: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value > 0)) {
    throw new BackendError('invalid', `${name} is ${value}, but must be a whole number above 0`);
  }
}
