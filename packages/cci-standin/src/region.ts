import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  customResourceDefinitions,
  isAlreadyExists,
  KubeClient,
  loadKubeconfig,
  systemClock,
} from '@spillway/kube';
import { type Cluster, type ClusterOptions, type NodeOptions, startCluster } from '@spillway/devcluster';
import { randomAccount, randomSecret, type Account } from './accounts.ts';
import { serveAdmin } from './admin.ts';
import { RegionFacts } from './facts.ts';
import { Faults } from './faults.ts';
import { Gateway } from './gateway/gateway.ts';
import { RestartableServer } from './gateway/server.ts';
import { Upstream } from './gateway/upstream.ts';
import { AccessKeys } from './iam/access-keys.ts';
import { serveIam } from './iam/iam.ts';
import { Tokens } from './iam/tokens.ts';
import { type Meter, startMeter } from './meter/meter.ts';
import { MetricsApi } from './metrics/metrics-api.ts';
import { networkDefinition, networks } from './network-type.ts';
import { NetworkController } from './networks.ts';
import { type NodeForm, nodeName, regionPodCidr, type SimulatedOptions } from './node/configuration.ts';
import type { RegionNode } from './node/region-node.ts';
import { startNode } from './node/start-node.ts';
import { usualRules, type RuleOptions } from './rules/call.ts';
import { Storage } from './storage/storage.ts';
import { startSwr, type Swr } from './swr/swr.ts';
import { gatewayUser, installTenancy } from './tenancy.ts';

export interface RegionOptions {
  /** Name of the region, and of the accounts' project. Default: cn-north-4 */
  readonly name?: string;
  /** Default: one account with random credentials */
  readonly accounts?: readonly Account[];
  /** Of the control plane behind it. Default: random */
  readonly clusterName?: string;
  /** Where that control plane comes from. Default: it is started */
  readonly controlPlane?: (options: ClusterOptions) => Promise<Cluster>;
  /** Where clients reach it: loopback or a test network. Default: 127.0.0.1 */
  readonly host?: string;
  readonly rules?: Partial<RuleOptions>;
  /** What runs the pods. Default: none, they stay Pending */
  readonly node?: 'none' | NodeForm;
  /** Of a simulated node */
  readonly simulated?: SimulatedOptions;
  /** Command line of Spillway's program, which is the simulated node. Default: `spillway` as it is installed */
  readonly program?: readonly string[];
  /** Whether the accounts have authorised CCI already. Default: true */
  readonly agency?: boolean;
  /** How long a network stays Initializing, and then Pending. Default: 1000 */
  readonly networkStepMs?: number;
  readonly clock?: Clock;
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** A running region. Everything that a client needs to know of it, and what only tests may. */
export interface Region extends AsyncDisposable {
  readonly name: string;
  /** Of CCI */
  readonly endpoint: string;
  readonly iamEndpoint: string;
  /** Path of the certificate authority of both, PEM */
  readonly caFile: string;
  readonly accounts: readonly Account[];
  readonly admin: { readonly endpoint: string; readonly token: string };
  readonly swr: Swr;
  /** Its file systems, and what became of each. */
  readonly storage: Pick<Storage, 'create' | 'delete' | 'read'>;
  /** The control plane behind the gateway. */
  readonly cluster: Cluster;
  /** What runs the pods; undefined: they stay Pending. */
  readonly node: RegionNode | undefined;
  /** Who was billed for what, judged by what runs. */
  readonly meter: Meter;
  close(): Promise<void>;
}

/** What the gateway lets in asks the node for nothing: only the number of pods is limited, by that of a bridge's ports. */
const kubeletOptions: NodeOptions = { name: nodeName, podCidr: regionPodCidr, services: false, maxPods: 1000 };

/** Credentials, certificates and ports are new at every start. Takes down what it made when it cannot start. */
export async function startRegion(options: RegionOptions = {}): Promise<Region> {
  const { log = () => undefined, signal } = options;
  const { node = 'none' } = options;
  log(`starting the control plane of the region${node === 'containers' ? ' and its node (containers)' : ''}`);
  const cluster = await (options.controlPlane ?? startCluster)({
    node: node === 'containers' ? kubeletOptions : false,
    log,
    ...(options.clusterName === undefined ? {} : { name: options.clusterName }),
    ...(signal === undefined ? {} : { signal }),
    extraArgs: {
      'kube-apiserver': [
        // Pods of CCI have no identity in its API.
        '--disable-admission-plugins=ServiceAccount',
        // Those of a namespace of the gateway tolerate what keeps others from the node.
        '--enable-admission-plugins=PodTolerationRestriction',
      ],
    },
  });
  const undo = new AsyncDisposableStack();
  undo.defer(() => cluster.close());
  try {
    const region = await assemble(cluster, undo, options);
    log(`region ${region.name} is at ${region.endpoint}`);
    return region;
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

async function assemble(cluster: Cluster, undo: AsyncDisposableStack, options: RegionOptions): Promise<Region> {
  const { name = 'cn-north-4', host = '127.0.0.1', clock = systemClock } = options;
  const accounts = options.accounts ?? [randomAccount(name)];
  const client = undo.use(new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }), clock }));
  await install(client, accounts);

  const controller = new NetworkController({ client, clock, timing: { stepMs: options.networkStepMs ?? 1000 } });
  const facts = new RegionFacts({
    client,
    networks: controller.informer.store,
    accounts,
    agency: options.agency ?? true,
  });
  const storage = new Storage({ client, clock, dir: join(cluster.dir, 'shares'), region: name });
  const stop = new AbortController();
  const running = Promise.all([controller.run(stop.signal), facts.run(stop.signal), storage.run(stop.signal)]);
  undo.defer(async () => {
    stop.abort();
    await running;
  });
  await Promise.all([facts.synced, controller.informer.synced, storage.synced]);
  const node = await nodeOf({ cluster, client }, options, undo);
  const meter = await startMeter({ cluster, client, node }, undo);

  const sources = { accessKeys: new AccessKeys(accounts, clock), tokens: new Tokens(accounts, clock) };
  const faults = new Faults();
  const ca = await readFile(cluster.ca.certFile, 'utf8');
  const identity = await cluster.issue({ commonName: gatewayUser, usages: ['client'] });
  const upstream = new Upstream({ server: cluster.server, ca, ...identity });
  undo.defer(() => upstream.close());
  const metrics = new MetricsApi(client, node?.name);
  const rules = { ...usualRules, ...options.rules };
  const gateway = new Gateway({ sources, facts, faults, storage, upstream, metrics, rules, clock });

  const tls = await cluster.issue({ commonName: `cci.${name}`, ipAddresses: [host], usages: ['server'] });
  const listen = async (server: RestartableServer): Promise<RestartableServer> => {
    await server.start();
    undo.defer(() => server.stop());
    return server;
  };
  const api = await listen(
    new RestartableServer({
      tls,
      host,
      handle: (request, response) => gateway.handle(request, response),
      upgrade: (request, socket, early) => gateway.handleUpgrade(request, socket, early),
    }),
  );
  const iam = await listen(
    new RestartableServer({ tls, host, handle: (request, response) => serveIam(sources.tokens, request, response) }),
  );
  const token = randomSecret();
  const dependencies = {
    token,
    faults,
    facts,
    meter,
    storage,
    projectId: accounts[0]?.project.id ?? '',
    setNetworksStuck: (stuck: boolean) => controller.setStuck(stuck),
    dropWatches: () => gateway.dropWatches(),
    restartGateway: () => api.restart(),
    revokeTokens: () => sources.tokens.revokeAll(),
    revokeAccessKey: (accessKey: string) => sources.accessKeys.revoke(accessKey),
    stateOfAccessKey: (accessKey: string) => sources.accessKeys.stateOf(accessKey),
  };
  const admin = await listen(
    new RestartableServer({
      host: '127.0.0.1',
      handle: (request, response) => serveAdmin(dependencies, request, response),
    }),
  );

  const swr = await startSwr({ region: name, accounts, cluster, sources, faults, clock }, undo);

  const close = (): Promise<void> => undo.disposeAsync();
  return {
    name,
    endpoint: api.url,
    iamEndpoint: iam.url,
    caFile: cluster.ca.certFile,
    accounts,
    admin: { endpoint: admin.url, token },
    swr,
    storage,
    cluster,
    node,
    meter,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function nodeOf(
  region: { readonly cluster: Cluster; readonly client: KubeClient },
  { node: form = 'none', simulated = {}, program = ['spillway'], log = () => undefined, signal }: RegionOptions,
  undo: AsyncDisposableStack,
): Promise<RegionNode | undefined> {
  if (form === 'none') return undefined;
  if (form === 'simulated') log(`starting the node of the region (${form})`);
  return startNode(region, { form, simulated, program, log, signal }, undo);
}

async function install(client: KubeClient, accounts: readonly Account[]): Promise<void> {
  await installTenancy(client, accounts);
  try {
    await client.resource(customResourceDefinitions).create(networkDefinition);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  await untilServed(client);
}

/** A new kind is served a moment after it was made. */
async function untilServed(client: KubeClient): Promise<void> {
  const name = networkDefinition.metadata?.name ?? '';
  for await (const { object } of client
    .resource(customResourceDefinitions)
    .watch({ fieldSelector: `metadata.name=${name}` })) {
    const established = object.status?.conditions?.some(
      ({ type, status }) => type === 'Established' && status === 'True',
    );
    if (established === true) break;
  }
  await client.resource(networks).list();
}
