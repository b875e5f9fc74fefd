import { createServer, type AddressInfo, type Server } from 'node:net';

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
};

/** Ports of the host's loopback that were free at the time of asking. */
export async function freePorts(): Promise<Ports> {
  const names = Object.keys(usualPorts) as (keyof Ports)[];
  const servers = await Promise.all(names.map(listenAnywhere));
  const entries = servers.map((server, at) => [names[at], (server.address() as AddressInfo).port]);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return Object.fromEntries(entries) as unknown as Ports;
}

function listenAnywhere(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
