import { ApiError, type KubeClient, type KubeObject, type Logger, type Node, silentLogger } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { newNode, type NodeFacts } from './node-object.ts';
import { NodeController } from './node-controller.ts';

const facts: NodeFacts = {
  name: 'worker-7',
  clusterId: 'c1',
  labels: {},
  taints: [],
  sizing: 'none',
  backend: 'simulated',
  address: '10.0.0.1',
  kubeletPort: 10_250,
  serverVersion: 'v1.36.3',
  ownVersion: '0.1.0',
  runtimeVersion: 'containerd://1.6.20',
  architecture: 'amd64',
  capacity: {},
  health: { kind: 'reachable' },
  preparation: { kind: 'prepared' },
  usage: { kind: 'measured' },
};

const noInfo = {
  architecture: 'amd64',
  operatingSystem: 'linux',
  osImage: '',
  kernelVersion: '',
  kubeProxyVersion: '',
  machineID: '',
  systemUUID: '',
  bootID: '',
};

const machine: Node = {
  metadata: { name: 'worker-7', uid: 'u7', resourceVersion: '5', labels: { 'kubernetes.io/hostname': 'worker-7' } },
  spec: { providerID: 'aws:///i-1' },
  status: { nodeInfo: { ...noInfo, kubeletVersion: 'v1.36.3', containerRuntimeVersion: 'containerd://2.1' } },
};

/** A cluster with these nodes; what is written there is noted. */
class Cluster {
  readonly writes: string[] = [];
  readonly errors: string[] = [];
  #nodes: readonly Node[];
  #changed = Promise.withResolvers<void>();

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
  }

  /** Whoever watches lists again. */
  become(nodes: readonly Node[]): void {
    this.#nodes = nodes;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  client(): Pick<KubeClient, 'resource'> {
    const written = (verb: string, kind: string) => async (): Promise<KubeObject> => {
      this.writes.push(`${verb} ${kind}`);
      return { metadata: { name: 'worker-7', uid: 'u8', resourceVersion: '6' } };
    };
    const nodes = (): readonly Node[] => this.#nodes;
    const changed = (): Promise<void> => this.#changed.promise;
    const resource = ({ kind }: { kind: string }): object => ({
      async *pages() {
        yield { metadata: { resourceVersion: '1' }, items: nodes() };
      },
      async *watch({ signal, sendInitialEvents }: { signal: AbortSignal; sendInitialEvents?: boolean }) {
        if (sendInitialEvents) throw new ApiError('no streamed lists', { status: 422, reason: 'Invalid' });
        const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        await Promise.race([changed(), ended]);
        if (!signal.aborted) throw new ApiError('too old', { status: 410, reason: 'Expired' });
        yield* [];
      },
      get: async () => {
        throw new ApiError('not found', { status: 404, reason: 'NotFound' });
      },
      create: written('create', kind),
      patch: written('patch', kind),
      replace: written('replace', kind),
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a fake knows less than the real one
    return { resource } as unknown as Pick<KubeClient, 'resource'>;
  }

  logger(): Logger {
    return { ...silentLogger, error: (_fields: object, message: string) => void this.errors.push(message) };
  }
}

function controller(cluster: Cluster): { node: NodeController; free: () => boolean; stop: () => Promise<void> } {
  const ending = new AbortController();
  const client = cluster.client();
  const node = new NodeController({
    nodeName: 'worker-7',
    controller: client,
    agent: client,
    confirmCluster: async () => true,
    facts: () => facts,
    logger: cluster.logger(),
    observer: { leaseRenewed: () => {}, leaseFailed: () => {}, nodeWritten: () => {} },
    sleep: (_ms, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
  });
  let isFree = false;
  void node.free.then(() => (isFree = true));
  const running = node.run(ending.signal, Promise.resolve());
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
  };
  return { node, free: () => isFree, stop };
}

describe('a node object with the name of the virtual node', () => {
  it('that is a machine is left alone, with its lease and its pods, and it is said what to do', async () => {
    const cluster = new Cluster([machine]);
    const { node, free, stop } = controller(cluster);
    await expect.poll(() => cluster.errors).toHaveLength(1);
    expect(cluster.errors[0]).toBe(
      'Node worker-7 (v1.36.3, aws:///i-1) was not created by Spillway, so Spillway leaves it alone and this pool serves no pods. Set nodeName of the pool to a name that no node has or, if nothing serves the node any more, delete it.',
    );
    expect(cluster.writes).toEqual([]);
    expect([node.registered, free()]).toEqual([false, false]);
    await stop();
    expect(cluster.writes).toEqual([]);
  });

  it('that goes gives its name free', async () => {
    const cluster = new Cluster([machine]);
    const { free, stop } = controller(cluster);
    await expect.poll(() => cluster.errors).toHaveLength(1);
    cluster.become([]);
    await expect.poll(() => cluster.writes).toContain('create Node');
    expect(free()).toBe(true);
    await stop();
  });

  it('that an earlier process has made is kept', async () => {
    const node = newNode(facts);
    const cluster = new Cluster([{ ...node, metadata: { ...node.metadata, uid: 'u1', resourceVersion: '2' } }]);
    const { free, stop } = controller(cluster);
    await expect.poll(() => cluster.writes).toContain('patch Node');
    expect(cluster.writes).not.toContain('create Node');
    expect(free()).toBe(true);
    await stop();
  });
});
