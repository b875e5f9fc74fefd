import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Region, startRegion } from '@spillway/cci-standin';
import { type Cluster, pushImage, resolveHelm, startCluster } from '@spillway/devcluster';
import {
  deployments,
  KubeClient,
  leases,
  loadKubeconfig,
  namespaces,
  type Pod,
  pods,
  serviceAccounts,
} from '@spillway/kube';
import { stringify } from 'yaml';
import { borrowCluster } from '../../devcluster/testkit/borrow.ts';
import { productImage, productVersion } from '../image/images.ts';
import type { CciBackendConfig } from '../src/config/cci.ts';
import { leaderOf } from '../src/install/rollout.ts';
import { burstLabels } from '../src/podspec/contract.ts';
import { cciPool } from './cci-pool.ts';
import { eventually } from './eventually.ts';
import { spillwayProgram } from './program.ts';
import { type Answer, runSpillway } from './run-spillway.ts';

const run = promisify(execFile);

/** Where Spillway is installed, unless somebody says otherwise. */
export const installedIn = 'spillway-system';
/** Namespace of the burst pods. */
const work = 'work';
const repository = 'docker.io/library/spillway';

/** A cluster with a real node whose registry has Spillway's image, and a region for its burst pods. Spillway is not installed yet. */
export interface InstallationSite extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly region: Region;
  /** Of the cluster. */
  readonly client: KubeClient;
  /** Of the region's control plane, with more rights than a tenant has. */
  readonly there: KubeClient;
  /** For files of the test. */
  readonly folder: string;
  /** Configuration of one pool, `cci`, in the region. */
  readonly configFile: string;
  /** What the pool's configuration says of the region; its files are on this machine. */
  readonly pool: CciBackendConfig;
  /** One image under two tags: this version, and one that an upgrade brings. */
  readonly images: { readonly repository: string; readonly current: string; readonly next: string };
  /** Runs the command line as an administrator. */
  spillway(...args: readonly string[]): Promise<Answer>;
  /** Output of Helm, which acts as an administrator. @throws when it fails */
  helm(...args: readonly string[]): Promise<string>;
  /** Creates the Deployment `web`, and resolves when all its pods run in the region. */
  burst(replicas: number): Promise<void>;
  burstPods(): Promise<Pod[]>;
  /** What people would notice of burst pods if anything happened to them, by name. */
  standings(): Promise<object>;
  /** Name of the pod that leads the pool. */
  leader(): Promise<string | undefined>;
  /** Objects of Spillway in the cluster, and of this cluster in the region; one a line. */
  residue(): Promise<string>;
}

export async function startInstallationSite(): Promise<InstallationSite> {
  const undo = new AsyncDisposableStack();
  try {
    return await start(undo);
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

async function start(undo: AsyncDisposableStack): Promise<InstallationSite> {
  const [built, started] = await Promise.all([productImage('spillway'), startCluster({ node: {} })]);
  const cluster = undo.use(started);
  const version = await productVersion();
  const images = { repository, current: `${repository}:${version}`, next: `${repository}:next` };
  await pushImage(cluster.registry, images.current, built);
  await pushImage(cluster.registry, images.next, built, images.current);
  const region = await startRegion({
    controlPlane: borrowCluster,
    host: cluster.hostAddress,
    networkStepMs: 100,
    node: 'simulated',
    simulated: { startDelayMs: 100, stopDelayMs: 500 },
    program: spillwayProgram,
  });
  undo.defer(() => region.close());
  const client = undo.use(new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) }));
  const there = undo.use(new KubeClient({ config: await loadKubeconfig({ paths: [region.cluster.kubeconfig] }) }));
  const folder = path.join(cluster.dir, 'install');
  await mkdir(folder, { recursive: true });
  const configFile = path.join(folder, 'config.yaml');
  const pool = await cciPool(region, folder);
  await writeFile(configFile, stringify(configOf(pool)));
  await client.resource(namespaces).create({ metadata: { name: work } });
  await eventually('the default service account', () =>
    client.resource(serviceAccounts).get({ namespace: work, name: 'default' }),
  );
  const burstPods = async (): Promise<Pod[]> => (await client.resource(pods).list({ namespace: work })).items;
  return {
    cluster,
    region,
    client,
    there,
    folder,
    configFile,
    pool,
    images,
    spillway: (...args) => runSpillway(cluster.kubeconfig, args),
    helm: async (...args) => {
      const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
      return (await run(await resolveHelm(), args, { env })).stdout;
    },
    burst: async (replicas) => {
      await createWorkload(client, replicas);
      await eventually('the pods run in the region', async () => {
        const running = (await burstPods()).filter(({ status }) => status?.phase === 'Running');
        return running.length === replicas;
      });
    },
    burstPods,
    standings: async () => Object.fromEntries((await burstPods()).map((pod) => [pod.metadata?.name, standing(pod)])),
    leader: async () => leaderOf(await client.resource(leases).get({ namespace: installedIn, name: 'spillway-cci' })),
    residue: () => residueOf(cluster, there),
    [Symbol.asyncDispose]: () => undo.disposeAsync(),
  };
}

/** One pool, `cci`. */
export const configOf = (backend: object): object => ({
  pools: [{ name: 'cci', nodeName: 'virtual-kubelet', servingCertificate: { csr: { approve: true } }, backend }],
});

const standing = ({ metadata, status }: Pod): object => ({
  uid: metadata?.uid,
  phase: status?.phase,
  containers: status?.containerStatuses,
  conditions: status?.conditions,
});

async function createWorkload(client: KubeClient, replicas: number): Promise<void> {
  const labels = { app: 'web' };
  const resources = { requests: { cpu: '250m', memory: '512Mi' } };
  const containers = [{ name: 'main', image: 'swr.cn-north-4.myhuaweicloud.com/team/app:1', resources }];
  await client.resource(deployments).create({
    metadata: { namespace: work, name: 'web', labels: { [burstLabels[0]]: 'enforce' } },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 5, containers } },
    },
  });
}

async function residueOf(cluster: Cluster, there: KubeClient): Promise<string> {
  const kinds =
    'deployments,replicasets,pods,jobs,configmaps,secrets,services,poddisruptionbudgets,networkpolicies,serviceaccounts,roles,rolebindings,' +
    'clusterroles,clusterrolebindings,mutatingadmissionpolicies,mutatingadmissionpolicybindings,validatingadmissionpolicies,' +
    'validatingadmissionpolicybindings,mutatingwebhookconfigurations,validatingwebhookconfigurations,crds';
  const found = await Promise.all(
    ['spillway', 'spillway-uninstall'].map((name) =>
      cluster.kubectl(['get', kinds, '-A', '-o', 'name', '-l', `app.kubernetes.io/name=${name}`]),
    ),
  );
  const nodes = await cluster.kubectl(['get', 'nodes', '-o', 'name', '-l', 'type=virtual-kubelet']);
  const instances = (await there.resource(pods).list({ labelSelector: 'spillway.dev/pod-uid' })).items;
  const spaces = (await there.resource(namespaces).list()).items.map(({ metadata }) => metadata?.name ?? '');
  return [
    ...found.map(({ stdout }) => stdout),
    nodes.stdout,
    ...instances.map(({ metadata }) => `${metadata?.name}\n`),
    ...spaces.filter((name) => /^(cce-burst|bursting)-/.test(name)),
  ].join('');
}
