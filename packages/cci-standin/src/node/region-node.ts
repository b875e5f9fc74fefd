import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { Cluster } from '@spillway/devcluster';
import { type KubeClient, type Node, nodes } from '@spillway/kube';
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
  /** Whether it takes pods */
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
  const configuration = nodeConfiguration({
    kubeconfig: cluster.kubeconfig,
    address: cluster.nodeAddress,
    kubeletPort: cluster.netns === undefined ? await freePort() : 10_250,
    backend,
  });
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
  await program.start((signal) => untilReady(client, signal));
  return {
    form: backend.form,
    name: nodeName,
    podCidr: regionPodCidr,
    instancesFile: backend.form === 'simulated' ? backend.instancesFile : undefined,
    log,
    get pid() {
      return program.pid;
    },
    isReady: async () => program.pid !== undefined && isReady(await client.resource(nodes).get({ name: nodeName })),
  };
}

function backendIn(dir: string, { pool }: Cluster, { form, simulated }: NodeOptions): NodeBackend {
  if (form === 'simulated') return { form, instancesFile: join(dir, 'instances.json'), simulated };
  if (pool === undefined) throw new RegionError('the region was started without containers');
  return { form, stateDir: join(dir, 'state'), pool };
}

async function untilReady(client: KubeClient, signal: AbortSignal): Promise<void> {
  const mine = { fieldSelector: `metadata.name=${nodeName}`, signal };
  while (!signal.aborted) {
    for await (const { object } of client.resource(nodes).watch(mine)) if (isReady(object)) return;
  }
}

/** Also: it takes pods. */
function isReady({ spec, status }: Node): boolean {
  const holds = (wanted: string): boolean | undefined =>
    status?.conditions?.some((condition) => condition.type === wanted && condition.status === 'True');
  return holds('Ready') === true && holds('BackendReachable') === true && spec?.unschedulable !== true;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server on a TCP port has such an address.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
