import { createServer } from 'node:net';

export interface Ports {
  readonly api: number;
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly controllerManager: number;
  readonly scheduler: number;
  readonly registry: number;
  readonly kubelet: number;
  readonly kubeletHealth: number;
  readonly proxyHealth: number;
  readonly proxyMetrics: number;
  readonly dnsReady: number;
  readonly metricsServer: number;
}

/** In a network namespace of its own a cluster has the usual ports to itself. */
export const usualPorts: Ports = {
  api: 6443,
  etcd: 2379,
  etcdPeer: 2380,
  controllerManager: 10257,
  scheduler: 10259,
  registry: 5000,
  kubelet: 10250,
  kubeletHealth: 10248,
  proxyHealth: 10256,
  proxyMetrics: 10249,
  dnsReady: 8181,
  metricsServer: 4443,
};

/** Ports of the host's loopback that were free at the time of asking. */
export async function freePorts(): Promise<Ports> {
  const held = await Promise.all(Object.keys(usualPorts).map(async (name) => ({ name, ...(await holdPort()) })));
  await Promise.all(held.map(({ release }) => release()));
  return { ...usualPorts, ...Object.fromEntries(held.map(({ name, port }) => [name, port])) };
}

function holdPort(): Promise<{ port: number; release: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const release = (): Promise<void> => new Promise((done) => void server.close(() => done()));
      resolve({ port, release });
    });
  });
}
