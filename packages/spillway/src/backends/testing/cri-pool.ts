import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { centosImage, type Cluster, startCluster } from '@spillway/devcluster';
import { silentLogger } from '@spillway/kube';
import { CriBackend } from '../cri/cri-backend.ts';
import type { Owner } from '../backend.ts';
import type { CriBackendOptions } from '../cri/options.ts';

const relay = `const socket = require('net').connect(Number(process.argv[1]), '127.0.0.1');
// Not before what was read has been handed on: the pipe to us may be full.
socket.on('error', () => {}).on('close', () => process.stdout.write('', () => process.exit()));
process.stdin.pipe(socket).pipe(process.stdout);`;

/** A real containerd for tests, and backends on it. */
export class CriPool {
  readonly image: string = centosImage;
  readonly owner: Owner = { clusterId: randomUUID(), nodeName: 'virtual' };
  readonly cluster: Cluster;
  readonly folder: string;
  readonly cgroupParent: string;
  readonly socket: string;

  private constructor(cluster: Cluster, folder: string) {
    const { pool } = cluster;
    if (!pool) throw new Error('the cluster has no pool');
    this.cluster = cluster;
    this.folder = folder;
    this.cgroupParent = pool.cgroupParent;
    this.socket = pool.containerdSocket;
  }

  static async start(): Promise<CriPool> {
    const cluster = await startCluster({ node: false, pool: true });
    return new CriPool(cluster, await mkdtemp(join(tmpdir(), 'spillway-cri-')));
  }

  get stateDir(): string {
    return join(this.folder, 'state');
  }

  open(options: Partial<CriBackendOptions> = {}, owner: Owner = this.owner): CriBackend {
    const { socket, stateDir, cgroupParent, cluster } = this;
    // The runtime's streaming server listens in the cluster's network namespace only.
    const connect = ({ port }: URL): Duplex => {
      const stdio = ['pipe', 'pipe', 'inherit'] as const;
      return duplexOf(cluster.spawn(process.execPath, ['-e', relay, port], { stdio: [...stdio] }));
    };
    return new CriBackend({
      options: { socket, stateDir, cgroupParent, ...options },
      owner,
      logger: silentLogger,
      connect,
    });
  }

  /** What is left of pods on the machine, as people would find it. */
  async residue(): Promise<string[]> {
    const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
      .split('\n')
      .filter((line) => line.includes(this.folder));
    const folders = await Promise.all(
      ['pods', 'logs'].map(async (name) => (await readdir(join(this.stateDir, name))).map((each) => `${name}/${each}`)),
    );
    const hierarchies = await readdir('/sys/fs/cgroup');
    const groups = await Promise.all(
      hierarchies.map(async (each) => {
        const path = join('/sys/fs/cgroup', each, this.cgroupParent);
        const names = await readdir(path).catch(() => []);
        return names.filter((name) => name.startsWith('pod')).map((name) => join(path, name));
      }),
    );
    return [...mounts, ...folders.flat(), ...groups.flat()];
  }

  async dispose(): Promise<void> {
    await this.cluster.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function duplexOf({ stdin, stdout }: ChildProcess): Duplex {
  if (!stdin || !stdout) throw new Error('the relay has no pipes');
  return Duplex.from({ readable: stdout, writable: stdin });
}
