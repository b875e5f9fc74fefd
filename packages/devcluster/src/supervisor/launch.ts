import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { ComponentSpec } from '../components/component.ts';
import { insideNamespace } from '../network/namespace.ts';

export interface LaunchContext {
  readonly clusterDir: string;
  /** The network namespace to run in; undefined for the host's. */
  readonly namespace: string | undefined;
  /** `cgroup.procs` files to enter before the program starts, so that nothing that it starts escapes. */
  readonly cgroupProcs: readonly string[];
  readonly environment: { readonly name: string; readonly value: string };
}

const enterCgroups =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1" || exit 70; shift; n=$((n-1)); done; exec "$@"';

export function logPath(clusterDir: string, component: string): string {
  return join(clusterDir, 'logs', `${component}.log`);
}

/** The shell and nsenter replace themselves, so the child's pid is the program's. */
export function launch(spec: ComponentSpec, context: LaunchContext): ChildProcess {
  const program = [spec.command, ...spec.args];
  const inside = context.namespace === undefined ? program : insideNamespace(context.namespace, program);
  const log = openSync(logPath(context.clusterDir, spec.name), 'a', 0o600);
  try {
    return spawn(
      '/bin/sh',
      ['-c', enterCgroups, 'sh', String(context.cgroupProcs.length), ...context.cgroupProcs, ...inside],
      {
        detached: true,
        cwd: context.clusterDir,
        stdio: ['ignore', log, log],
        env: { ...process.env, ...spec.env, [context.environment.name]: context.environment.value },
      },
    );
  } finally {
    closeSync(log);
  }
}
