import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Region, startRegion } from '@spillway/cci-standin';
import { agnhostImage, type Cluster, pushImage, resolveHelm, startCluster } from '@spillway/devcluster';
import {
  type Deployment,
  deployments,
  KubeClient,
  type Lease,
  leases,
  loadKubeconfig,
  nameOf,
  namespaces,
  type Pod,
  type PodSpec,
  pods,
  serviceAccounts,
  services,
  systemClock,
} from '@spillway/kube';
import { stringify } from 'yaml';
import { borrowCluster } from '../../devcluster/testkit/borrow.ts';
import { productImage, productVersion } from '../image/images.ts';
import type { CciBackendConfig } from '../src/config/cci.ts';
import { leaderOf } from '../src/addon/installation/leader-of.ts';
import { burstLabels } from '../src/podspec/contract.ts';
import { type AuditEvent, auditEvents, auditPolicy } from './audit/audit.ts';
import { cciPool } from './cci-pool.ts';
import { eventually } from './eventually.ts';
import { spillwayProgram } from './program.ts';
import { type Recording, recording } from './recordings.ts';
import { type Answer, runSpillway } from './run-spillway.ts';

const run = promisify(execFile);

/** Where Spillway is installed, unless somebody says otherwise. */
export const installedIn = 'spillway-system';
/** Namespace of the burst pods. */
const work = 'work';
const labelSelector = 'app.kubernetes.io/name=spillway';
const repository = 'docker.io/library/spillway';
/** Namespaces of who calls Services from a pool beside CCI, and of its pods as that pool runs them. */
const [calling, elsewhere] = ['shop', 'elsewhere'] as const;

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
  /** Configuration of two pools: `cci` in the region, and `elsewhere`. */
  readonly configFile: string;
  /** What the pool's configuration says of the region; its files are on this machine. */
  readonly pool: CciBackendConfig;
  /** `HOST:PORT` of the link server, as the pods of `elsewhere` reach it. The installation has it. */
  linkServer(): Promise<string>;
  /** Creates the pod `caller` in the pool `elsewhere`, and resolves when it is ready. */
  startCaller(): Promise<void>;
  /** Creates a Service for the pod `called`, which runs in the cluster. @returns the name of the pod that answers the caller there */
  call(service: string): Promise<string>;
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
  /** Creates the pod `talker`, whose log gets ten lines a second, from "1." to `lines`, and resolves when it runs. */
  talk(lines: number): Promise<void>;
  /** Has pods of another Deployment created and deleted. @returns stops that when one more has started, and resolves when all are gone */
  churn(): Recording<void>;
  /** Name of the pod that leads the pool. */
  leader(): Promise<string | undefined>;
  /** The process that leads the pool; empty: none. */
  holder(): Promise<string>;
  /** Names of Spillway's pods that are not on their way out. */
  replicas(): Promise<readonly string[]>;
  /** SIGKILL for the process of one of Spillway's pods. */
  kill(name: string): Promise<void>;
  /** Objects of Spillway in the cluster, and of this cluster in the region; one a line. */
  residue(): Promise<string>;
  /** What the accounts `audited` have asked of the API server. */
  requests(): Promise<readonly AuditEvent[]>;
}

export interface SiteOptions {
  /** Users whose requests the API server writes down. */
  readonly audited?: readonly string[];
}

export async function startInstallationSite({ audited = [] }: SiteOptions = {}): Promise<InstallationSite> {
  const undo = new AsyncDisposableStack();
  try {
    return await start(undo, audited);
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

async function start(undo: AsyncDisposableStack, audited: readonly string[]): Promise<InstallationSite> {
  const audits = await mkdtemp(path.join(tmpdir(), 'spillway-audit-'));
  undo.defer(() => rm(audits, { recursive: true }));
  const log = path.join(audits, 'log');
  const policy = path.join(audits, 'policy.yaml');
  await writeFile(policy, stringify(auditPolicy(audited)));
  const flags = [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`, '--audit-log-maxsize=10000'];
  const extraArgs = audited.length === 0 ? {} : { 'kube-apiserver': flags };
  const [built, agent, started] = await Promise.all([
    productImage('spillway'),
    productImage('spillway-link-agent'),
    startCluster({ node: {}, extraArgs }),
  ]);
  const cluster = undo.use(started);
  const version = await productVersion();
  const images = { repository, current: `${repository}:${version}`, next: `${repository}:next` };
  await pushImage(cluster.registry, images.current, built);
  await pushImage(cluster.registry, images.next, built, images.current);
  await pushImage(cluster.registry, linkImage, agent);
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
  await writeFile(configFile, stringify(configOf(pool, cluster.kubeconfig)));
  for (const name of [work, calling]) {
    await client.resource(namespaces).create({ metadata: { name } });
    await eventually('the default service account', () =>
      client.resource(serviceAccounts).get({ namespace: name, name: 'default' }),
    );
  }
  await client.resource(pods).create(serving('called', ['netexec', '--http-port=8080']));
  const lease = (): Promise<Lease> => client.resource(leases).get({ namespace: installedIn, name: 'spillway-cci' });
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
      await client.resource(deployments).create(workload('web', replicas));
      await eventually('the pods run in the region', async () => {
        const running = (await burstPods()).filter(({ status }) => status?.phase === 'Running');
        return running.length === replicas;
      });
    },
    talk: async (lines) => {
      await client.resource(pods).create(talker(lines));
      await eventually('the pod that talks runs', async () => {
        const pod = await client.resource(pods).get({ namespace: work, name: 'talker' });
        return pod.status?.phase === 'Running';
      });
    },
    churn: () => churn(client),
    linkServer: async () => {
      const { spec } = await client.resource(services).get({ namespace: installedIn, name: 'spillway-link' });
      return `${spec?.clusterIP}:${spec?.ports?.[0]?.port}`;
    },
    startCaller: () => startCaller(client),
    call: (service) => call(cluster, client, service),
    burstPods,
    standings: async () => Object.fromEntries((await burstPods()).map((pod) => [pod.metadata?.name, standing(pod)])),
    leader: async () => leaderOf(await lease()),
    holder: async () => (await lease()).spec?.holderIdentity ?? '',
    replicas: async () => {
      const { items } = await client.resource(pods).list({ namespace: installedIn, labelSelector });
      return items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined).map(nameOf);
    },
    kill: (name) => killProcess(cluster, client, name),
    residue: () => residueOf(cluster, there),
    requests: async () => auditEvents(await readFile(log, 'utf8')),
    [Symbol.asyncDispose]: () => undo.disposeAsync(),
  };
}

const linkImage = 'docker.io/library/spillway-link-agent:test';

/**
 * The pool `cci`, and the pool `elsewhere` for pods that name its node: in a namespace of the cluster that the kubeconfig leads to, with
 * the Services of their own cluster.
 */
export function configOf(cci: object, kubeconfig: string, linkServers: readonly string[] = []): object {
  const servingCertificate = { csr: { approve: true } };
  return {
    link: { image: linkImage, servers: linkServers },
    pools: [
      { name: 'cci', nodeName: 'virtual-kubelet', servingCertificate, backend: cci },
      {
        name: elsewhere,
        nodeName: elsewhere,
        kubeletPort: 10_251,
        taints: [{ key: 'example.com/elsewhere', effect: 'NoSchedule' }],
        servingCertificate,
        interconnect: 'agent',
        backend: { type: 'kubernetes', kubeconfig, namespace: elsewhere },
      },
    ],
  };
}

const standing = ({ metadata, status }: Pod): object => ({
  uid: metadata?.uid,
  phase: status?.phase,
  containers: status?.containerStatuses,
  conditions: status?.conditions,
});

function podSpec(command?: string[]): PodSpec {
  const resources = { requests: { cpu: '250m', memory: '512Mi' } };
  const image = 'swr.cn-north-4.myhuaweicloud.com/team/app:1';
  return {
    terminationGracePeriodSeconds: 5,
    containers: [{ name: 'main', image, resources, ...(command && { command }) }],
  };
}

function workload(name: string, replicas: number): Deployment {
  const labels = { app: name };
  return {
    metadata: { namespace: work, name, labels: { [burstLabels[0]]: 'enforce' } },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec() } },
  };
}

function talker(lines: number): Pod {
  const script = Array.from({ length: lines }, (_, index) => `echo ${index + 1}.;sleep .1`).join(';');
  const labels = { app: 'talker', [burstLabels[0]]: 'enforce' };
  return { metadata: { namespace: work, name: 'talker', labels }, spec: podSpec(['sh', '-c', script]) };
}

const serving = (name: string, args: readonly string[], nodeName?: string): Pod => ({
  metadata: { namespace: calling, name, labels: { app: name } },
  spec: {
    ...(nodeName && { nodeName }),
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: agnhostImage, args: [...args] }],
  },
});

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;

async function startCaller(client: KubeClient): Promise<void> {
  await client.resource(pods).create(serving('caller', ['pause'], elsewhere));
  await eventually('the pods that call and are called are ready', async () => {
    const { items } = await client.resource(pods).list({ namespace: calling });
    return items.length === 2 && items.every(isReady);
  });
}

async function call(cluster: Cluster, client: KubeClient, name: string): Promise<string> {
  await client.resource(services).create({
    metadata: { namespace: calling, name },
    spec: { selector: { app: 'called' }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  return await eventually(`an answer of the Service ${name}`, async () => {
    const command = ['wget', '-qO-', `http://${name}/hostname`];
    return (await cluster.kubectl(['exec', '-n', calling, 'caller', '--', ...command])).stdout;
  });
}

/** Between two changes of the number of replicas. */
const churnMs = 2000;

function churn(client: KubeClient): Recording<void> {
  const ref = { namespace: work, name: 'churn' };
  const scale = async (replicas: number): Promise<void> => {
    await client.resource(deployments).patch(ref, { type: 'merge', body: { spec: { replicas } } });
  };
  const found = async (): Promise<Pod[]> =>
    (await client.resource(pods).list({ namespace: work, labelSelector: 'app=churn' })).items;
  const churning = recording(undefined, async (signal) => {
    await client.resource(deployments).create(workload('churn', 2));
    for (let replicas = 8; !signal.aborted; replicas = 10 - replicas) {
      await scale(replicas);
      await systemClock.sleep(churnMs, signal);
    }
  });
  return async () => {
    await churning();
    await scale(9);
    await eventually('the pods that come and go run', async () => {
      const running = (await found()).filter(({ status }) => status?.phase === 'Running');
      return running.length === 9;
    });
    await client.resource(deployments).delete(ref);
    await eventually('the pods that come and go are gone', async () => (await found()).length === 0);
  };
}

async function killProcess({ nodeContainerd }: Cluster, client: KubeClient, name: string): Promise<void> {
  const { status } = await client.resource(pods).get({ namespace: installedIn, name });
  const container = status?.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? '';
  const address = ['--address', nodeContainerd?.containerdSocket ?? '', '-n', 'k8s.io'];
  await run('ctr', [...address, 'tasks', 'kill', '-s', 'SIGKILL', container]);
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
  const other = await cluster.kubectl(['get', 'namespace', elsewhere, '-o', 'name', '--ignore-not-found']);
  return [
    ...found.map(({ stdout }) => stdout),
    nodes.stdout,
    other.stdout,
    ...instances.map(({ metadata }) => `${metadata?.name}\n`),
    ...spaces.filter((name) => /^(cce-burst|bursting)-/.test(name)),
  ].join('');
}
