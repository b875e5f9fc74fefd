import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Cluster, Kwok } from '@spillway/devcluster';
import { type Contestant, kubectl } from './contestant.ts';

const nodeName = 'bench-kwok';

/**
 * Starts KWOK with its fast stages and one node, everything else as it comes. Alone it renews no lease, and after 50 s the
 * node controller would mark the node and all its pods NotReady; the duration is the one that `kwokctl` gives it.
 */
export async function startKwok(cluster: Cluster, { program, fastStages }: Kwok): Promise<Contestant> {
  const dir = path.join(cluster.dir, nodeName);
  await mkdir(dir, { recursive: true });
  const logFile = path.join(dir, 'kwok.log');
  await using log = await open(logFile, 'w');
  const args = [
    `--kubeconfig=${cluster.kubeconfig}`,
    `--manage-single-node=${nodeName}`,
    '--node-lease-duration-seconds=40',
    ...fastStages.map((file) => `--config=${file}`),
  ];
  // In a process group of its own, so that Ctrl-C reaches only the benchmark and it stops in good order.
  const child = cluster.spawn(program, args, { stdio: ['ignore', log.fd, log.fd], detached: true });
  const exit = once(child, 'exit');
  await using started = new AsyncDisposableStack();
  started.defer(async () => {
    child.kill('SIGTERM');
    await exit;
    await kubectl(cluster, ['delete', 'node', nodeName, '--ignore-not-found']);
  });
  const ended = exit.then(async ([code]): Promise<never> => {
    throw new Error(`kwok ended with code ${String(code)}:\n${(await readFile(logFile, 'utf8')).slice(-4000)}`);
  });
  ended.catch(() => {});
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels: { type: 'kwok' }, annotations: { 'node.alpha.kubernetes.io/ttl': '0' } },
  };
  await kubectl(cluster, ['apply', '-f', '-'], JSON.stringify(node));
  const ready = kubectl(cluster, ['wait', '--for=condition=Ready', '--timeout=120s', `node/${nodeName}`]);
  await Promise.race([ready, ended]);
  if (child.pid === undefined) throw new Error('kwok has no process');
  const running = started.move();
  return {
    nodeName,
    pid: child.pid,
    ended,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
