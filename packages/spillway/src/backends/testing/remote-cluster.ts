import { randomUUID } from 'node:crypto';
import { busyboxImage, type Cluster, startCluster } from '@spillway/devcluster';
import {
  type ConfigMap,
  configMaps,
  KubeClient,
  loadKubeconfig,
  nameOf,
  type Pod,
  pods,
  type Secret,
  secrets,
  silentLogger,
} from '@spillway/kube';
import type { Owner } from '../backend.ts';
import type { KubernetesBackend } from '../kubernetes/kubernetes-backend.ts';
import { type KubernetesBackendOptions, makeKubernetesBackend } from '../kubernetes/make-kubernetes.ts';
import { eventually } from '../../../testkit/eventually.ts';

/** Another cluster with a real node, for tests, and backends on it. */
export class RemoteCluster {
  readonly image: string = busyboxImage;
  readonly namespace: string = 'burst';
  readonly owner: Owner = { clusterId: randomUUID(), nodeName: 'virtual' };
  readonly cluster: Cluster;
  readonly client: KubeClient;

  private constructor(cluster: Cluster, client: KubeClient) {
    this.cluster = cluster;
    this.client = client;
  }

  static async start(): Promise<RemoteCluster> {
    const cluster = await startCluster({ node: { metricsServer: true } });
    const config = await loadKubeconfig({ paths: [cluster.kubeconfig] });
    const remote = new RemoteCluster(cluster, new KubeClient({ config }));
    await remote.#pullImage();
    return remote;
  }

  open(owner: Owner = this.owner, more: Partial<KubernetesBackendOptions> = {}): KubernetesBackend {
    const { namespace, cluster } = this;
    const claims = { 'default/data': 'their-data' };
    const options = { kubeconfig: cluster.kubeconfig, namespace, createNamespace: true, claims, ...more };
    return makeKubernetesBackend({ options, owner, logger: silentLogger });
  }

  async pods(): Promise<Pod[]> {
    return (await this.client.resource(pods).list({ namespace: this.namespace })).items;
  }

  async secrets(): Promise<Secret[]> {
    return (await this.client.resource(secrets).list({ namespace: this.namespace })).items;
  }

  /** Without the one that every namespace has. */
  async configMaps(): Promise<ConfigMap[]> {
    const { items } = await this.client.resource(configMaps).list({ namespace: this.namespace });
    return items.filter((each) => nameOf(each) !== 'kube-root-ca.crt');
  }

  /** Names of what is left in the namespace. */
  async residue(): Promise<string[]> {
    const all = await Promise.all([this.pods(), this.configMaps(), this.secrets()]);
    return all.flat().map(nameOf);
  }

  async dispose(): Promise<void> {
    await this.client.close();
    await this.cluster.close();
  }

  /** So that no pod of a test has to pull it. */
  async #pullImage(): Promise<void> {
    const pod = { namespace: 'default', name: 'puller' };
    const resource = this.client.resource(pods);
    await eventually('the default service account', async () => {
      const containers = [{ name: 'main', image: this.image, command: ['true'] }];
      await resource.create({ metadata: pod, spec: { restartPolicy: 'Never', containers } });
      return true;
    });
    await eventually('the image', async () => (await resource.get(pod)).status?.phase === 'Succeeded');
    await resource.delete(pod, { gracePeriodSeconds: 0 });
  }
}
