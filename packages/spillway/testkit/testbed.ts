import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { abilitiesOf, type Cluster } from '@spillway/devcluster';
import type { Taint } from '@spillway/kube';
import { stringify } from 'yaml';
import type { Scenario } from '../src/backends/simulated/scenario.ts';
import type { CciBackendConfig } from '../src/config/cci.ts';
import type { RuleSetName } from '../src/podspec/sizing/rule-sets.ts';
import type { KubernetesBackendConfig } from '../src/config/backends.ts';
import { burstNamespace } from './burst-namespace.ts';
import { cciPool } from './cci-pool.ts';
import { eventually } from './eventually.ts';
import { spillwayProgram } from './program.ts';
import { rbacArguments } from './rbac-arguments.ts';
import { burstLabels } from '../src/podspec/contract.ts';

// Started directly, not through bin/spillway.js, so that a kill -9 in a test hits the process itself.
const spillway = spillwayProgram.slice(1);

export interface TestbedOptions {
  readonly cluster: Cluster;
  readonly backend: 'cci' | 'kubernetes' | 'simulated';
  readonly nodeName?: string;
  readonly kubeletPort?: number;
  /** Pods that the node offers room for; default 200. */
  readonly maxPods?: number;
  /** Where the pods of the `cci` backend run (a region on the cluster's `hostAddress`), and what its configuration says besides how to get there. */
  readonly cci?: Partial<CciBackendConfig> & { readonly at: Parameters<typeof cciPool>[0] };
  /** Where the pods of the `kubernetes` backend run. What its pods are to reach of this cluster takes a peering. */
  readonly remote?: Pick<KubernetesBackendConfig, 'kubeconfig'> &
    Partial<Pick<KubernetesBackendConfig, 'createNamespace' | 'hostsImage'>>;
  /** Of the virtual node; default: as the configuration's defaults say. */
  readonly taints?: readonly Taint[];
  /** How the `simulated` backend behaves; default: as the configuration's defaults say. */
  readonly simulated?: {
    readonly startDelayMs?: number;
    readonly stopDelayMs?: number;
    readonly scenario?: Scenario;
  };
  /** The `simulated` backend keeps its instances in `instancesFile` for the next process; default: they end with it. */
  readonly keepInstances?: boolean;
  readonly sweep?: { readonly graceSeconds?: number; readonly suspicionSeconds?: number };
  /** The section `placement` of the configuration; default: its defaults. */
  readonly placement?: object;
  /** In which sizes pods can be had; default: as they are written. */
  readonly sizing?: RuleSetName;
  /** Pods reach Services by an agent of this image; default: not at all, or by a route. */
  readonly agentImage?: string | undefined;
  /** Somebody has routed the addresses of Services. */
  readonly routed?: boolean;
  /** Serves the webhook that warns at `kubectl apply`; default: the policies of admission stand alone. */
  readonly advice?: boolean;
  /** Arguments of node itself, for measurements. */
  readonly nodeArguments?: readonly string[];
  /** What serves: arguments of node before those of Spillway; default: its sources. */
  readonly program?: readonly string[];
}

/**
 * One pool next to a development cluster: the generated RBAC applied, a configuration on disk, and `spillway serve` as a
 * process of its own with the credentials of its ServiceAccount. For the demo, the tests and the benchmarks.
 */
export class Testbed implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly nodeName: string;
  readonly dir: string;
  readonly configFile: string;
  readonly #program: readonly string[];
  /** In a cluster without admission policies the process carries the rules of admission, so they hold while it runs. */
  readonly #byWebhook: boolean;
  #process: ChildProcess | undefined;
  #ended: Promise<never> | undefined;
  #starts = 0;

  private constructor({
    cluster,
    nodeName = 'virtual-kubelet',
    nodeArguments = [],
    program = spillway,
  }: Pick<TestbedOptions, 'cluster' | 'nodeName' | 'nodeArguments' | 'program'>) {
    this.cluster = cluster;
    this.nodeName = nodeName;
    this.dir = path.join(cluster.dir, `spillway-${nodeName}`);
    this.configFile = path.join(this.dir, 'config.yaml');
    this.#program = [...nodeArguments, ...program];
    this.#byWebhook = !abilitiesOf(cluster.kubernetesVersion).mutatingPolicies;
  }

  static async create(options: TestbedOptions): Promise<Testbed> {
    const testbed = new Testbed(options);
    await mkdir(testbed.dir, { recursive: true });
    await testbed.#writeConfig(options, undefined);
    await testbed.#applyManifests();
    if (!testbed.#byWebhook) await testbed.#rulesInForce();
    const kubeconfig = await options.cluster.kubeconfigFor({
      serviceAccount: { namespace: 'spillway-system', name: 'spillway' },
    });
    await testbed.#writeConfig(options, kubeconfig);
    return testbed;
  }

  /** One that another process has made, with the `spillway serve` that runs for it. */
  static async attach(cluster: Cluster): Promise<Testbed> {
    const testbed = new Testbed({ cluster });
    testbed.#starts = (await readdir(testbed.dir)).filter((name) => /^serve-\d+\.log$/.test(name)).length;
    return testbed;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Rejects when the process that was started last ends, with its output in the message. */
  get ended(): Promise<never> {
    return this.#ended ?? Promise.reject(new Error('spillway serve was not started'));
  }

  get logFile(): string {
    return path.join(this.dir, `serve-${this.#starts}.log`);
  }

  /** Where the `simulated` backend keeps its instances. */
  get instancesFile(): string {
    return path.join(this.dir, 'instances.json');
  }

  /** Starts `spillway serve` and resolves when its node is Ready. */
  async start(): Promise<void> {
    this.#starts += 1;
    await using log = await open(this.logFile, 'w');
    // In a process group of its own, so that Ctrl-C reaches only who started it and stops it in good order.
    const args = [...this.#program, 'serve', '--config', this.configFile];
    const child = this.cluster.spawn(process.execPath, args, {
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    child.unref();
    this.#process = child;
    await writeFile(this.#pidFile, String(child.pid));
    const exited = once(child, 'exit').then(async ([code]): Promise<never> => {
      throw new Error(`spillway serve ended with code ${String(code)}:\n${await readFile(this.logFile, 'utf8')}`);
    });
    exited.catch(() => {});
    this.#ended = exited;
    await Promise.race([this.#nodeReady(), exited]);
    if (this.#byWebhook) await Promise.race([this.#rulesInForce(), exited]);
  }

  /**
   * Ends `spillway serve` and resolves when it is gone, with its exit code where it was started here; what its pods run goes
   * on.
   */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#process;
    this.#process = undefined;
    const pid = await this.#servingPid();
    await rm(this.#pidFile, { force: true });
    if (child?.pid !== pid) {
      if (pid !== undefined) await end(pid, signal);
      return null;
    }
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    child.ref();
    const exit = once(child, 'exit');
    child.kill(signal);
    const [code] = await exit;
    return code as number | null;
  }

  /** Whether `spillway serve` runs, whoever has started it. */
  async isServing(): Promise<boolean> {
    const pid = await this.#servingPid();
    return pid !== undefined && signalled(pid, 0);
  }

  get #pidFile(): string {
    return path.join(this.dir, 'serve.pid');
  }

  async #servingPid(): Promise<number | undefined> {
    const text = await readFile(this.#pidFile, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : Number(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #nodeReady(): Promise<void> {
    const { code, stderr } = await this.cluster.kubectl([
      'wait',
      '--for=condition=Ready',
      '--timeout=120s',
      `node/${this.nodeName}`,
    ]);
    if (code === 0) return;
    if (!/not found/i.test(stderr)) throw new Error(`node ${this.nodeName} did not become Ready: ${stderr}`);
    // kubectl wait does not wait for an object that is still to be created.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await this.#nodeReady();
  }

  /** Runs the command line with the administrator's kubeconfig and resolves with what it prints. `expected` are exit codes. */
  async spillway(args: readonly string[], expected: readonly number[] = [0]): Promise<string> {
    const child = spawn(process.execPath, [...spillway, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, KUBECONFIG: this.cluster.kubeconfig },
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const [code] = await once(child, 'close');
    if (!expected.includes(Number(code))) throw new Error(`spillway ${args.join(' ')} ended with code ${String(code)}`);
    return Buffer.concat(chunks).toString();
  }

  /** What a user applies before the start, with the rules of admission in the API server itself where it can have them. */
  async #applyManifests(): Promise<void> {
    const config = ['--config', this.configFile];
    const manifests = await Promise.all(
      [
        ['manifests', 'crds'],
        rbacArguments(this.cluster, this.configFile),
        ['manifests', 'admission', ...config, '--carrier', this.#byWebhook ? 'webhook' : 'policy'],
      ].map((command) => this.spillway(command)),
    );
    const { code, stderr } = await this.cluster.kubectl(['apply', '-f', '-'], { input: manifests.join('---\n') });
    if (code !== 0) throw new Error(`kubectl apply of spillway's manifests failed: ${stderr}`);
  }

  /** The API server takes up policies and webhooks some seconds after they were written, and each by itself. */
  async #rulesInForce(): Promise<void> {
    const metadata = { name: 'rules-in-force', labels: { [burstLabels[0]]: 'enforce' } };
    const spec = { containers: [{ name: 'main', image: 'none' }] };
    const template = { metadata: { labels: { app: 'none' } }, spec };
    const probes = [
      { apiVersion: 'v1', kind: 'Pod', metadata, spec },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata,
        spec: { selector: { matchLabels: { app: 'none' } }, template },
      },
    ];
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: probes });
    const deadline = Date.now() + 60_000;
    for (;;) {
      // Each object by itself, one document after the other.
      const told = '{.spec.schedulerName}{.spec.template.metadata.labels} ';
      const args = ['create', '--dry-run=server', '-n', 'default', '-o', `jsonpath=${told}`, '-f', '-'];
      const { stdout, stderr } = await this.cluster.kubectl(args, { input });
      if (stdout.startsWith('spillway ') && stdout.includes(burstLabels[0])) return;
      if (Date.now() > deadline) throw new Error(`the rules of admission are not in force: ${stdout}${stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async #writeConfig(options: TestbedOptions, kubeconfig: string | undefined): Promise<void> {
    const { cluster } = options;
    await writeFile(
      this.configFile,
      stringify({
        ...(kubeconfig === undefined ? {} : { kubernetes: { kubeconfig } }),
        ...(options.placement === undefined ? {} : { placement: options.placement }),
        ...(options.advice || this.#byWebhook
          ? { admission: { enabled: true, url: `https://${cluster.nodeAddress}:9443` } }
          : {}),
        ...(options.agentImage === undefined ? {} : { link: { image: options.agentImage } }),
        ledger: { directory: path.join(this.dir, 'ledger') },
        pools: [
          {
            name: options.backend,
            nodeName: this.nodeName,
            capacity: { cpu: '64', memory: '256Gi', pods: String(options.maxPods ?? 200) },
            address: cluster.nodeAddress,
            kubeletPort: options.kubeletPort ?? 10260,
            servingCertificate: { csr: { approve: true } },
            ...(options.sizing === undefined ? {} : { sizing: options.sizing }),
            ...(options.sweep === undefined ? {} : { sweep: options.sweep }),
            ...(options.taints === undefined ? {} : { taints: options.taints }),
            // Pods elsewhere do not reach service addresses without more.
            ...(options.agentImage === undefined ? {} : { interconnect: 'agent' }),
            ...(options.routed ? { interconnect: 'route' } : {}),
            dns: { clusterDNS: [cluster.nodeAddress], clusterDomain: 'cluster.local' },
            backend: await this.#backendConfig(options),
          },
        ],
      }),
    );
  }

  async #backendConfig({ backend, cci, remote, simulated, keepInstances }: TestbedOptions): Promise<object> {
    if (backend === 'cci') {
      if (cci === undefined) throw new Error('a pool of the cci backend needs a region: cci: { at: region }');
      const { at, ...more } = cci;
      return cciPool(at, this.dir, more);
    }
    if (backend === 'kubernetes') {
      if (remote === undefined) throw new Error('a pool of the kubernetes backend needs another cluster: remote');
      const { kubeconfig, createNamespace = true, hostsImage } = remote;
      return {
        type: 'kubernetes',
        kubeconfig,
        namespace: burstNamespace,
        createNamespace,
        ...(hostsImage && { hostsImage }),
      };
    }
    return { type: 'simulated', ...simulated, ...(keepInstances ? { stateFile: this.instancesFile } : {}) };
  }
}

async function end(pid: number, signal: NodeJS.Signals): Promise<void> {
  signalled(pid, signal);
  await eventually(`process ${pid} to end`, () => !signalled(pid, 0));
}

/** False: it has ended. */
function signalled(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
