import { readFile } from 'node:fs/promises';
import { type Cluster } from '@spillway/devcluster';
import {
  type ContainerState,
  isNotFound,
  KubeClient,
  loadKubeconfig,
  namespaces,
  type Pod,
  pods,
  type PodSpec,
  serviceAccounts,
} from '@spillway/kube';
import { borrowCluster } from '../../devcluster/testkit/borrow.ts';
import { type Eventually, eventuallyWith } from './eventually.ts';
import { Testbed, type TestbedOptions } from './testbed.ts';

/** What the simulated backend keeps of an instance: another start would have another time and address. */
export interface KeptInstance {
  readonly acceptedAt: number;
  readonly podIP: string;
  readonly containers: Readonly<Record<string, { readonly restartCount: number; readonly state: ContainerState }>>;
}

export const rehearsalNamespace = 'work';

/** A control plane, `spillway serve` on the simulated backend or another one, and the words in which tests of faults are written. */
export class Rehearsal implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly testbed: Testbed;
  readonly admin: KubeClient;

  private constructor(cluster: Cluster, testbed: Testbed, admin: KubeClient) {
    this.cluster = cluster;
    this.testbed = testbed;
    this.admin = admin;
  }

  static async start(
    optionsNextTo: (cluster: Cluster) => Promise<Omit<TestbedOptions, 'cluster'>> = async () => ({
      backend: 'simulated',
    }),
  ): Promise<Rehearsal> {
    const cluster = await borrowCluster();
    const testbed = await Testbed.create({
      keepInstances: true,
      sweep: { graceSeconds: 3, suspicionSeconds: 5 },
      ...(await optionsNextTo(cluster)),
      cluster,
    });
    const admin = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
    const rehearsal = new Rehearsal(cluster, testbed, admin);
    await admin.resource(namespaces).create({ metadata: { name: rehearsalNamespace } });
    await rehearsal.eventually('the default service account', () =>
      admin.resource(serviceAccounts).get({ namespace: rehearsalNamespace, name: 'default' }),
    );
    await testbed.start();
    return rehearsal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.testbed.stop('SIGKILL');
    await this.admin.close();
    await this.cluster.close();
  }

  /** Until `resume`, the process does and hears nothing. */
  pause(): void {
    process.kill(this.#pid(), 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.#pid(), 'SIGCONT');
  }

  /** A pod that is bound to the virtual node and runs `script`. */
  create(name: string, script: string, spec: Partial<PodSpec> = {}): Promise<Pod> {
    const container = { name: 'main', image: 'busybox', command: ['sh', '-c', script] };
    return this.admin.resource(pods).create({
      metadata: { name, namespace: rehearsalNamespace },
      spec: { nodeName: this.testbed.nodeName, terminationGracePeriodSeconds: 1, containers: [container], ...spec },
    });
  }

  get(name: string): Promise<Pod> {
    return this.admin.resource(pods).get({ namespace: rehearsalNamespace, name });
  }

  async delete(name: string): Promise<void> {
    await this.admin.resource(pods).delete({ namespace: rehearsalNamespace, name });
    await this.gone(name);
  }

  async deleteByForce(name: string): Promise<void> {
    await this.admin.resource(pods).delete({ namespace: rehearsalNamespace, name }, { gracePeriodSeconds: 0 });
  }

  ready(name: string): Promise<Pod> {
    return this.reaches(name, 'Ready', ({ status }) =>
      status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True'),
    );
  }

  reaches(name: string, what: string, holds: (pod: Pod) => boolean | undefined): Promise<Pod> {
    return this.eventually(`pod ${name} to be ${what}`, async () => {
      const pod = await this.get(name);
      return holds(pod) && pod;
    });
  }

  async gone(name: string): Promise<void> {
    await this.eventually(`pod ${name} to be gone`, () => this.get(name).then(() => false, isNotFound));
  }

  /** What the backend has, by UID. */
  async instances(): Promise<Map<string, KeptInstance>> {
    const kept: unknown = JSON.parse(await readFile(this.testbed.instancesFile, 'utf8'));
    const entries = (Array.isArray(kept) ? kept : []).map(({ workload, record }): [string, KeptInstance] => [
      JSON.parse(workload).ref.uid,
      record,
    ]);
    if (new Set(entries.map(([uid]) => uid)).size < entries.length) throw new Error('a pod has two instances');
    return new Map(entries);
  }

  /** A failure ends with the log of Spillway. */
  readonly eventually: Eventually = eventuallyWith({
    evidence: async () => `log of spillway:\n${await this.log()}`,
  });

  log(): Promise<string> {
    return readFile(this.testbed.logFile, 'utf8');
  }

  #pid(): number {
    const { pid } = this.testbed;
    if (pid === undefined) throw new Error('spillway serve does not run');
    return pid;
  }
}
