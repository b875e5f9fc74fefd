import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serverUrl } from '../components/component.ts';
import { componentNames, type ComponentName } from '../components/names.ts';
import { containerdPaths } from '../components/containerd.ts';
import { etcdUrl } from '../components/control-plane.ts';
import { DevClusterError } from '../errors.ts';
import { exec, type ExecResult } from '../exec.ts';
import { http } from '../host/http.ts';
import { parseJson } from '../json.ts';
import type { KubernetesVersion } from '../kubernetes-version.ts';
import { insideNamespace, namespacePath } from '../network/namespace.ts';
import type { Ports } from '../network/ports.ts';
import type { ComponentHandle } from './component-handle.ts';
import { restoreSnapshot, takeSnapshot } from './etcd-snapshot.ts';
import { Authority, type CertificateRequest, type KeyPair } from '../pki/authority.ts';
import { pkiPaths, type PkiPaths } from '../pki/cluster-pki.ts';
import { renderKubeconfig } from '../pki/kubeconfig.ts';
import { environmentMark, type ClusterRecord } from '../record.ts';
import { control, type ControlStatus } from '../supervisor/control.ts';

export type Identity =
  | { readonly user: string; readonly groups?: readonly string[] }
  | { readonly serviceAccount: { readonly namespace: string; readonly name: string } };

export interface ContainerdFacts {
  readonly containerdSocket: string;
  /** Where containerd looks, at each pull, for the real address of a registry: `<host>/hosts.toml`. */
  readonly registryConfigDir: string;
}

export interface KubectlOptions {
  readonly input?: string | Uint8Array;
  /** Added to the environment; `KUBECONFIG` here wins over the administrator's. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A running cluster. `close` takes it down, also one that was attached to. */
export interface Cluster extends AsyncDisposable {
  readonly name: string;
  readonly kubernetesVersion: KubernetesVersion;
  /** Everything that the cluster has on disk. */
  readonly dir: string;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly server: string;
  /** The address of the cluster's network namespace as the host sees it; loopback without one. */
  readonly nodeAddress: string;
  /** The host's address as seen from inside that namespace; loopback without one. */
  readonly hostAddress: string;
  /** host:port of the image registry. */
  readonly registry: string;
  /** Name of the real node; undefined without one. */
  readonly nodeName: string | undefined;
  /** Of the real node; undefined without one. */
  readonly nodeContainerd: ContainerdFacts | undefined;
  /** Networks of its pods: one where there is a node. */
  readonly podCidrs: readonly string[];
  /** Network of cluster IPs. */
  readonly serviceCidr: string;
  /** Path of the network namespace; undefined on the host's network. */
  readonly netns: string | undefined;
  readonly ca: { readonly certFile: string; readonly keyFile: string };
  readonly etcd: {
    readonly endpoint: string;
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
    /**
     * Forgets all history and returns the revision that is kept. The API server answers from its own cache until it is
     * restarted; from then on watches from older versions get 410.
     */
    compact(): Promise<number>;
    /** Stops etcd for a second, copies its data and returns the copy's path. */
    snapshot(): Promise<string>;
    /**
     * The whole control plane goes away and comes back with the snapshot's data: what happened since never happened, and
     * resource versions go backwards.
     */
    restore(snapshot: string): Promise<void>;
  };
  /** Starts a program inside the cluster's network namespace. It is killed when the cluster goes down. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Path of the kubectl of the cluster's version, for those who need its streams. */
  readonly kubectlPath: string;
  /** Resolves whatever kubectl's exit code is. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<ExecResult>;
  /** Path of a new kubeconfig with a fresh client certificate, or with a token of the service account (one day). */
  kubeconfigFor(identity: Identity): Promise<string>;
  /** A certificate of the cluster's authority. */
  issue(request: CertificateRequest): Promise<KeyPair>;
  component(name: ComponentName): ComponentHandle;
  status(): Promise<ControlStatus>;
  close(): Promise<void>;
}

export interface ClusterDependencies {
  readonly record: ClusterRecord;
  readonly down: () => Promise<unknown>;
}

export class RunningCluster implements Cluster {
  readonly name: string;
  readonly kubernetesVersion: KubernetesVersion;
  readonly dir: string;
  readonly kubeconfig: string;
  readonly server: string;
  readonly nodeAddress: string;
  readonly hostAddress: string;
  readonly registry: string;
  readonly nodeName: string | undefined;
  readonly nodeContainerd: ContainerdFacts | undefined;
  readonly podCidrs: readonly string[];
  readonly serviceCidr: string;
  readonly netns: string | undefined;
  readonly ca: Cluster['ca'];
  readonly etcd: Cluster['etcd'];
  readonly kubectlPath: string;
  readonly #record: ClusterRecord;
  readonly #pki: PkiPaths;
  readonly #down: () => Promise<unknown>;
  #kubeconfigs = 0;
  #closing: Promise<unknown> | undefined;

  constructor({ record, down }: ClusterDependencies) {
    if (record.network === undefined) throw new Error(`cluster ${record.name} has no network yet`);
    this.#record = record;
    this.#pki = pkiPaths(record.dir);
    this.#down = down;
    this.name = record.name;
    this.kubernetesVersion = record.options.kubernetesVersion;
    this.dir = record.dir;
    this.kubeconfig = this.#pki.kubeconfig('admin');
    this.server = serverUrl(record.network);
    this.nodeAddress = record.network.nodeAddress;
    this.hostAddress = record.network.hostAddress;
    this.registry = `${this.nodeAddress}:${record.network.ports.registry}`;
    this.nodeName = record.options.node?.name;
    this.nodeContainerd = record.options.node && containerdFacts(record);
    this.podCidrs = record.options.node === undefined ? [] : [record.options.node.podCidr];
    this.serviceCidr = record.options.serviceCidr;
    this.netns = record.ownNetwork ? namespacePath(record.scope) : undefined;
    this.ca = { certFile: this.#pki.cert('ca'), keyFile: this.#pki.key('ca') };
    const snapshots = { dir: record.dir, component: (name: ComponentName) => this.component(name) };
    this.etcd = {
      ...etcdAccess(record.network, this.#pki),
      snapshot: () => takeSnapshot(snapshots),
      restore: (snapshot) => restoreSnapshot(snapshots, snapshot),
    };
    this.kubectlPath = record.binaries.kubectl ?? 'kubectl';
  }

  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const program = [command, ...args];
    const [first = '', ...rest] = this.netns === undefined ? program : insideNamespace(this.#record.scope, program);
    const mark = environmentMark(this.#record);
    return spawn(first, rest, { ...options, env: { ...(options.env ?? process.env), [mark.name]: mark.value } });
  }

  kubectl(args: readonly string[], options: KubectlOptions = {}): Promise<ExecResult> {
    const { env, ...rest } = options;
    return exec(this.kubectlPath, args, { ...rest, env: { ...process.env, KUBECONFIG: this.kubeconfig, ...env } });
  }

  async kubeconfigFor(identity: Identity): Promise<string> {
    const who =
      'user' in identity ? identity.user : `${identity.serviceAccount.namespace}.${identity.serviceAccount.name}`;
    const slug = who.replace(/[^a-zA-Z0-9]+/g, '-');
    const credentials =
      'user' in identity ? await this.#clientCertificate(identity) : await this.#token(identity.serviceAccount);
    const ca = await readFile(this.ca.certFile, 'utf8');
    const path = join(this.dir, 'pki', `user-${slug}-${process.pid}-${++this.#kubeconfigs}.kubeconfig`);
    await writeFile(path, renderKubeconfig({ name: slug, server: this.server, ca, credentials }), { mode: 0o600 });
    return path;
  }

  async issue(request: CertificateRequest): Promise<KeyPair> {
    const [cert, key] = await Promise.all([readFile(this.ca.certFile, 'utf8'), readFile(this.ca.keyFile, 'utf8')]);
    return (await Authority.load({ cert, key })).issue(request);
  }

  component(name: ComponentName): ComponentHandle {
    if (!componentNames.includes(name)) throw new DevClusterError('invalid', `there is no component "${name}"`);
    const stop = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
      await control(this.dir, 'POST', `stop/${name}?signal=${signal}`);
    };
    const start = async (): Promise<void> => {
      await control(this.dir, 'POST', `start/${name}`);
    };
    return {
      log: join(this.dir, 'logs', `${name}.log`),
      stop,
      start,
      restart: async () => {
        await stop();
        await start();
      },
      pid: async () => (await this.status()).components.find((component) => component.name === name)?.pid,
    };
  }

  async status(): Promise<ControlStatus> {
    return control<ControlStatus>(this.dir, 'GET', 'status');
  }

  async close(): Promise<void> {
    this.#closing ??= this.#down();
    await this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #clientCertificate(identity: { user: string; groups?: readonly string[] }): Promise<KeyPair> {
    const organizations = identity.groups ?? [];
    return this.issue({ commonName: identity.user, organizations, usages: ['client'], days: 1 });
  }

  async #token({ namespace, name }: { namespace: string; name: string }): Promise<{ token: string }> {
    const result = await this.kubectl(['create', 'token', name, `--namespace=${namespace}`, '--duration=24h']);
    if (result.code === 0) return { token: result.stdout.trim() };
    throw new DevClusterError('control', `no token for service account ${namespace}/${name}: ${result.stderr.trim()}`);
  }
}

function containerdFacts(record: ClusterRecord): ContainerdFacts {
  const { socket, registryConfigDir } = containerdPaths(record.dir);
  return { containerdSocket: socket, registryConfigDir };
}

function etcdAccess(
  network: { nodeAddress: string; ports: Ports },
  pki: PkiPaths,
): Omit<Cluster['etcd'], 'snapshot' | 'restore'> {
  const endpoint = etcdUrl(network);
  const files = { caFile: pki.cert('etcd-ca'), certFile: pki.cert('etcd-client'), keyFile: pki.key('etcd-client') };
  const call = async <T>(path: string, body: object): Promise<T> => {
    const [ca, cert, key] = await Promise.all([
      readFile(files.caFile, 'utf8'),
      readFile(files.certFile, 'utf8'),
      readFile(files.keyFile, 'utf8'),
    ]);
    const response = await http(`${endpoint}${path}`, { method: 'POST', ca, cert, key, body: JSON.stringify(body) });
    if (response.status !== 200) throw new DevClusterError('control', `etcd refused ${path}: ${response.body.trim()}`);
    return parseJson<T>(response.body);
  };
  return {
    endpoint,
    ...files,
    // The JSON form of etcd's gRPC API has numbers as strings and bytes in base64.
    compact: async () => {
      const key = Buffer.from('/').toString('base64');
      const range = await call<{ header: { revision: string } }>('/v3/kv/range', { key });
      await call('/v3/kv/compaction', { revision: range.header.revision, physical: true });
      return Number(range.header.revision);
    },
  };
}
