import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '@spillway/devcluster';
import {
  endpointSlices,
  KubeClient,
  loadKubeconfig,
  nameOf,
  namespaceOf,
  type Pod,
  pods as podType,
  serviceAccounts,
  services,
  silentLogger,
  type TokenRequest,
  uidOf,
} from '@spillway/kube';
import { linkAudience, linkServerName } from '@spillway/link-agent';
import { issue, makeAuthority } from '../src/authorities/authority.ts';
import { LinkAccess, reviewTokens } from '../src/link/access.ts';
import { Catalogue } from '../src/link/catalogue.ts';
import { LinkServer } from '../src/link/link-server.ts';
import { AgentCrowd, crowdLimits } from './agent-crowd.ts';
import { type ApiLoad, apiLoad } from './api-load.ts';
import { inParallel } from './burst.ts';
import { kubectl } from './contestant.ts';
import { processUsage } from './process-usage.ts';
import { markdown } from './table.ts';

export interface AgentsOptions {
  readonly cluster: Cluster;
  /** The load generator's. */
  readonly client: KubeClient;
  readonly namespace: string;
  /** How many there are at a time, ascending. */
  readonly counts: readonly number[];
  readonly signal: AbortSignal;
}

/** What the API server has to do while this many agents are connected and Services change. */
export interface AgentsResult {
  readonly agents: number;
  /** While they connected. */
  readonly tokenReviews: number;
  readonly requestsPerSecond: number;
  readonly watches: number;
  readonly watchEventsPerSecond: number;
  /** What the link server sent on. */
  readonly messagesPerSecond: number;
  /** Of a core, by the process of the link server, which is also that of the load generator. */
  readonly cpu: number;
}

const numberOfServices = 50;
const changesPerSecond = 5;
const measuredSeconds = 30;

export async function measureAgents(options: AgentsOptions): Promise<readonly AgentsResult[]> {
  const { cluster, client, namespace, counts, signal } = options;
  await createServices(client, namespace, signal);
  const tokens = await createTokens(options, Math.max(...counts));

  const config = await loadKubeconfig({ paths: [cluster.kubeconfig] });
  await using own = new KubeClient({ config, userAgent: 'spillway' });
  const catalogue = new Catalogue({ client: own, logger: silentLogger });
  let messages = 0;
  const server = new LinkServer({
    catalogue,
    access: new LinkAccess({ review: reviewTokens(own), perAddress: crowdLimits.perAddress, now: Date.now }),
    metrics: { loggedIn: () => undefined, messageSent: () => (messages += 1) },
    logger: silentLogger,
    strangers: crowdLimits.strangers,
  });
  const validity = { from: Date.now(), to: Date.now() + 3_600_000 };
  const authority = await makeAuthority(validity);
  server.setTls(await issue(authority, [linkServerName], validity), authority.cert);
  const stopping = new AbortController();
  const running = catalogue.run((key) => server.changed(key), stopping.signal);
  const results: AgentsResult[] = [];
  try {
    await catalogue.synced;
    server.synced();
    const { port } = await server.listen(0, '127.0.0.1');
    await using crowd = await AgentCrowd.open(port, authority.cert);
    let so = 0;
    for (const agents of [0, ...counts]) {
      const before = await load(cluster);
      await crowd.add(tokens.slice(so, agents));
      so = agents;
      while (server.agents < agents) await sleep(100, undefined, { signal });
      const { tokenReviews } = await load(cluster);
      results.push({
        agents,
        tokenReviews: tokenReviews - before.tokenReviews,
        ...(await steady(options, () => messages)),
      });
    }
  } finally {
    stopping.abort();
    await Promise.allSettled([running, server.close()]);
  }
  return results;
}

const load = async (cluster: Cluster): Promise<ApiLoad> =>
  apiLoad(await kubectl(cluster, ['get', '--raw', '/metrics']));

/** Once all are connected, while endpoints change. */
async function steady(
  { cluster, client, namespace, signal }: AgentsOptions,
  messages: () => number,
): Promise<Omit<AgentsResult, 'agents' | 'tokenReviews'>> {
  const [before, cpuBefore, messagesBefore, startedAt] = [
    await load(cluster),
    (await processUsage(process.pid)).cpuSeconds,
    messages(),
    performance.now(),
  ];
  for (let change = 0; change < measuredSeconds * changesPerSecond; change += 1) {
    const endpoints = [{ addresses: [`10.9.${change % 250}.1`], conditions: { ready: true } }];
    const name = `web-${change % numberOfServices}`;
    await client.resource(endpointSlices).patch({ namespace, name }, { type: 'merge', body: { endpoints } });
    const dueAt = startedAt + ((change + 1) * 1000) / changesPerSecond;
    await sleep(Math.max(0, dueAt - performance.now()), undefined, { signal });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const after = await load(cluster);
  return {
    requestsPerSecond: (after.requests - before.requests) / seconds,
    watches: after.watches,
    watchEventsPerSecond: (after.watchEvents - before.watchEvents) / seconds,
    messagesPerSecond: (messages() - messagesBefore) / seconds,
    cpu: ((await processUsage(process.pid)).cpuSeconds - cpuBefore) / seconds,
  };
}

async function createServices(client: KubeClient, namespace: string, signal: AbortSignal): Promise<void> {
  const ports = [{ name: 'http', port: 80 }];
  await inParallel(
    Array.from({ length: numberOfServices }, (_, index) => `web-${index}`),
    signal,
    async (name) => {
      await client.resource(services).create({ metadata: { namespace, name }, spec: { ports } });
      await client.resource(endpointSlices).create({
        metadata: { namespace, name, labels: { 'kubernetes.io/service-name': name } },
        addressType: 'IPv4',
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
        endpoints: [{ addresses: ['10.9.0.1'], conditions: { ready: true } }],
      });
    },
  );
}

/** Bound to pods, which nobody schedules. */
async function createTokens({ client, namespace, signal }: AgentsOptions, count: number): Promise<readonly string[]> {
  const tokens: string[] = [];
  const names = Array.from({ length: count }, (_, index) => `agent-${index}`);
  await inParallel(names, signal, async (name) => {
    const pod = await client.resource(podType).create({
      metadata: { namespace, name },
      spec: { schedulerName: 'none', containers: [{ name: 'main', image: 'none' }] },
    });
    tokens.push(await tokenFor(client, pod));
  });
  return tokens;
}

async function tokenFor(client: KubeClient, pod: Pod): Promise<string> {
  const request: TokenRequest = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: [linkAudience],
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: nameOf(pod), uid: uidOf(pod) },
    },
  };
  const place = { subresource: 'token', namespace: namespaceOf(pod), name: 'default' } as const;
  const { status } = await client.resource(serviceAccounts).create<TokenRequest>(request, place);
  if (status?.token === undefined) throw new Error(`the API server gave no token for pod ${nameOf(pod)}`);
  return status.token;
}

export function renderAgents(results: readonly AgentsResult[]): string {
  const head = [
    'agents',
    'token reviews while they connected',
    'API requests/s',
    'open watches',
    'watch events/s',
    'messages to agents/s',
    'CPU of the link server, %',
  ];
  const body = results.map((result) => [
    result.agents.toLocaleString('en'),
    String(result.tokenReviews),
    result.requestsPerSecond.toFixed(1),
    String(result.watches),
    result.watchEventsPerSecond.toFixed(1),
    result.messagesPerSecond.toFixed(1),
    (result.cpu * 100).toFixed(1),
  ]);
  return markdown([head, ...body]);
}
