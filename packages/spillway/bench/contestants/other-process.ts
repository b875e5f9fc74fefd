import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Cluster } from '@spillway/devcluster';
import { type Contestant, kubectl } from './contestant.ts';

export interface OtherProcess {
  readonly nodeName: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Added to this process's variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it does not make itself. */
  readonly node?: object;
}

/** Starts a program that runs one virtual node, and resolves when the node is Ready. */
export async function startOtherProcess(
  cluster: Cluster,
  other: OtherProcess,
): Promise<Contestant & { readonly logFile: string }> {
  const { nodeName, program, args, env, node } = other;
  const dir = path.join(cluster.dir, nodeName);
  await mkdir(dir, { recursive: true });
  const logFile = path.join(dir, 'log');
  await using log = await open(logFile, 'w');
  // In a process group of its own, so that Ctrl-C reaches only the benchmark and it stops in good order.
  const child = cluster.spawn(program, args, {
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
    env: { ...process.env, ...env },
  });
  const exit = once(child, 'exit');
  await using started = new AsyncDisposableStack();
  started.defer(async () => {
    child.kill('SIGTERM');
    await exit;
    await kubectl(cluster, ['delete', 'node', nodeName, '--ignore-not-found']);
    await kubectl(cluster, ['delete', 'lease', '-n', 'kube-node-lease', nodeName, '--ignore-not-found']);
  });
  const ended = exit.then(async ([code]): Promise<never> => {
    throw new Error(
      `${path.basename(program)} ended with code ${String(code)}:\n${(await readFile(logFile, 'utf8')).slice(-4000)}`,
    );
  });
  ended.catch(() => {});
  if (node !== undefined) await kubectl(cluster, ['apply', '-f', '-'], JSON.stringify(node));
  const ready = (async () => {
    await kubectl(cluster, ['wait', '--for=create', '--timeout=120s', `node/${nodeName}`]);
    await kubectl(cluster, ['wait', '--for=condition=Ready', '--timeout=120s', `node/${nodeName}`]);
  })();
  await Promise.race([ready, ended]);
  if (child.pid === undefined) throw new Error(`${program} has no process`);
  const running = started.move();
  return { nodeName, pid: child.pid, logFile, ended, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
