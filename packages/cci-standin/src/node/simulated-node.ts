import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Cluster } from '@spillway/devcluster';
import { nodeName, regionPodCidr, simulatedConfiguration, type SimulatedOptions } from './configuration.ts';
import { NodeProcess } from './node-process.ts';
import type { RegionNode } from './region-node.ts';

export interface SimulatedNodeOptions {
  /** Command line of Spillway's program, which is the node */
  readonly program: readonly string[];
  readonly simulated: SimulatedOptions;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** `spillway serve` with its `simulated` backend. Resolves when the node is Ready; it ends with `undo`. */
export async function startSimulatedNode(
  cluster: Cluster,
  { program: command, simulated, log: note, signal }: SimulatedNodeOptions,
  undo: AsyncDisposableStack,
): Promise<RegionNode> {
  const dir = join(cluster.dir, 'cci-node');
  await mkdir(dir, { recursive: true });
  const instancesFile = join(dir, 'instances.json');
  const file = join(dir, 'config.json');
  const { kubeconfig, nodeAddress: address } = cluster;
  const [kubeletPort, healthPort] = cluster.netns === undefined ? await freePorts() : [10_250, 10_251];
  const ports = { kubeletPort, healthPort };
  const configuration = simulatedConfiguration({ kubeconfig, address, ...ports, instancesFile, simulated });
  await writeFile(file, JSON.stringify(configuration, undefined, 2));

  const log = join(cluster.dir, 'logs', 'cci-node.log');
  const output = await open(log, 'a', 0o600);
  undo.defer(() => output.close());
  const [first, ...args] = [...command, 'serve', '--config', file];
  const program = new NodeProcess({
    // In a process group of its own, so that Ctrl-C reaches only who started the region.
    launch: () => cluster.spawn(first, args, { stdio: ['ignore', output.fd, output.fd], detached: true }),
    log,
    note,
  });
  undo.defer(() => program.stop());
  const isReady = async (): Promise<boolean> => program.pid !== undefined && answers(address, healthPort);
  await program.start(isReady, signal);
  return {
    form: 'simulated',
    name: nodeName,
    podCidr: regionPodCidr,
    instancesFile,
    log,
    pid: async () => program.pid,
    isReady,
  };
}

/** Of `spillway serve`: its node is registered, its API is served, and it knows all of its pods. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    // The certificate is of its own making; nothing is told to it.
    const request = get({ host, port, path: '/readyz', agent: false, rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.setTimeout(5000, () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const [first, second] = [await portOf(servers[0]), await portOf(servers[1])];
  for (const server of servers) server.close();
  await Promise.all(servers.map((server) => once(server, 'close')));
  return [first, second];
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server on a TCP port has such an address.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (server.address() as AddressInfo).port;
}
