import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '@spillway/devcluster';
import type { KubeClient } from '@spillway/kube';
import { RegionError } from '../errors.ts';
import {
  nodeConfiguration,
  nodeName,
  regionPodCidr,
  type NodeBackend,
  type NodeForm,
  type SimulatedOptions,
} from './configuration.ts';
import { hideApiServer } from './hide-api-server.ts';
import { NodeProcess } from './node-process.ts';

export interface NodeOptions {
  readonly form: NodeForm;
  /** Command line of Spillway's program, which is the node */
  readonly program: readonly string[];
  readonly simulated: SimulatedOptions;
}

/** What runs the region's pods. */
export interface RegionNode {
  readonly form: NodeForm;
  readonly name: string;
  readonly podCidr: string;
  /** Of a simulated node: the file in which it keeps what would run */
  readonly instancesFile: string | undefined;
  /** Path of the file with the output of its program */
  readonly log: string;
  /** Undefined while it does not run */
  readonly pid: number | undefined;
  /** Whether it looks after its pods */
  isReady(): Promise<boolean>;
}

interface Parts {
  readonly cluster: Cluster;
  readonly client: KubeClient;
  readonly log: (line: string) => void;
}

/** Resolves when the node is Ready. It ends with `undo`. */
export async function startNode(
  { cluster, client, log: note }: Parts,
  options: NodeOptions,
  undo: AsyncDisposableStack,
): Promise<RegionNode> {
  note(`starting the node of the region (${options.form})`);
  await hideApiServer(client);
  const dir = join(cluster.dir, 'cci-node');
  await mkdir(dir, { recursive: true });
  const backend = backendIn(dir, cluster, options);
  const file = join(dir, 'config.json');
  const { kubeconfig, nodeAddress: address } = cluster;
  const [kubeletPort, healthPort] = cluster.netns === undefined ? await freePorts() : [10_250, 10_251];
  const configuration = nodeConfiguration({ kubeconfig, address, kubeletPort, healthPort, backend });
  await writeFile(file, JSON.stringify(configuration, undefined, 2));

  const log = join(cluster.dir, 'logs', 'cci-node.log');
  const output = await open(log, 'a', 0o600);
  undo.defer(() => output.close());
  const [command = '', ...args] = [...options.program, 'serve', '--config', file];
  const program = new NodeProcess({
    // In a process group of its own, so that Ctrl-C reaches only who started the region.
    launch: () => cluster.spawn(command, args, { stdio: ['ignore', output.fd, output.fd], detached: true }),
    log,
    note,
  });
  undo.defer(() => program.stop());
  const isReady = async (): Promise<boolean> => program.pid !== undefined && answers(address, healthPort);
  await program.start(async (signal) => {
    while (!signal.aborted && !(await isReady())) await delay(100);
  });
  return {
    form: backend.form,
    name: nodeName,
    podCidr: regionPodCidr,
    instancesFile: backend.form === 'simulated' ? backend.instancesFile : undefined,
    log,
    get pid() {
      return program.pid;
    },
    isReady,
  };
}

function backendIn(dir: string, { pool }: Cluster, { form, simulated }: NodeOptions): NodeBackend {
  if (form === 'simulated') return { form, instancesFile: join(dir, 'instances.json'), simulated };
  if (pool === undefined) throw new RegionError('the region was started without containers');
  return { form, stateDir: join(dir, 'state'), pool };
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
