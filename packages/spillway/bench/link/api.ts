// What link agents cost the API server: the same Services and endpoints, with more and more agents that follow them. The API server is
// a real one, the agents are streams without containers.
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '@spillway/devcluster';
import {
  type EndpointSlice,
  endpointSlices,
  KubeClient,
  loadKubeconfig,
  namespaces,
  pods,
  type ResourceType,
  serviceAccounts,
  services,
  silentLogger,
  type TokenRequest,
} from '@spillway/kube';
import { linkAudience, linkServerName } from '@spillway/link-agent';
import { issue, makeAuthority } from '../../src/authorities/authority.ts';
import { LinkAccess, reviewTokens } from '../../src/link/access.ts';
import { Catalogue } from '../../src/link/catalogue.ts';
import { LinkServer } from '../../src/link/link-server.ts';
import { startAgents } from './agents.ts';
import { parseMetrics } from '../observe/prometheus.ts';

const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 100, 2000];
const namespace = 'shop';
const seconds = 30;
const changesPerSecond = 10;
const agentsInProcess = 500;
const many = { perSecond: 1e6, burst: 1e6, underWay: 1e6 };

await using cluster = await startCluster({ node: false });
const config = await loadKubeconfig({ paths: [cluster.kubeconfig] });
const lanes = { default: { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 32 } };
await using user = new KubeClient({ config, lanes });
/** What the link server asks of the API server. */
let asked = 0;
await using client = new KubeClient({ config, lanes, onRequest: () => void (asked += 1) });

await prepare();
const tokens = await podTokens(Math.max(...counts));
const stopping = new AbortController();
const catalogue = new Catalogue({ client, logger: silentLogger });
let sent = 0;
let changes = 0;
const server = new LinkServer({
  catalogue,
  access: new LinkAccess({ review: reviewTokens(client), perAddress: many, now: Date.now }),
  metrics: { loggedIn: () => undefined, messageSent: () => (sent += 1) },
  logger: silentLogger,
  // All agents have the address of this machine, which pods do not.
  strangers: { perAddress: 1e6, inAll: 1024, openMs: 10_000, bytes: 64 * 1024 },
});
const validity = { from: Date.now(), to: Date.now() + 3_600_000 };
const authority = await makeAuthority(validity);
server.setTls(await issue(authority, [linkServerName], validity), authority.cert);
const { port } = await server.listen(0, '127.0.0.1');
const running = catalogue.run((key) => server.changed(key), stopping.signal);
await catalogue.synced;
server.synced();

process.stdout.write(
  [
    'agents   token reviews   watches   requests/s of the link server   requests/s at the API server   messages/s to agents',
    '',
  ].join('\n'),
);
const children: ChildProcess[] = [];
let started = 0;
for (const count of counts) {
  const before = asked;
  for (let from = started; from < count; from += agentsInProcess) {
    const more = tokens.slice(from, Math.min(count, from + agentsInProcess));
    children.push(await startAgents({ port, authorities: authority.cert, tokens: more }));
  }
  started = count;
  while (server.agents < count) await sleep(100);
  const reviews = asked - before;
  await sleep(5000);
  const measured = await measure();
  const cells = [
    String(count),
    String(reviews),
    String(measured.watches),
    ...measured.rates.map((rate) => rate.toFixed(1)),
  ];
  const widths = [6, 13, 7, 29, 28, 20];
  process.stdout.write(
    `${cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('   ')
      .trimEnd()}\n`,
  );
}
for (const child of children) child.kill('SIGKILL');
stopping.abort();
await running;
await server.close();

/** While endpoints change. */
async function measure(): Promise<{ readonly watches: number; readonly rates: readonly number[] }> {
  const from = { page: await readPage(), asked, sent, at: performance.now() };
  for (let change = 0; change < seconds * changesPerSecond; change += 1) {
    await changeEndpoints();
    await sleep(Math.max(0, from.at + ((change + 1) * 1000) / changesPerSecond - performance.now()));
  }
  const to = { page: await readPage(), asked, sent };
  const took = (performance.now() - from.at) / 1000;
  const watches = parseMetrics(to.page, 'apiserver_longrunning_requests')
    .filter(({ labels }) => labels['verb'] === 'WATCH')
    .reduce((sum, { value }) => sum + value, 0);
  const rates = [to.asked - from.asked, requests(to.page) - requests(from.page), to.sent - from.sent];
  return { watches, rates: rates.map((each) => each / took) };
}

function requests(page: string): number {
  return parseMetrics(page, 'apiserver_request_total').reduce((sum, { value }) => sum + value, 0);
}

async function readPage(): Promise<string> {
  return await user.request<string>({ method: 'GET', path: '/metrics', accept: 'text/plain' });
}

/** 50 Services with an endpoint each. */
async function prepare(): Promise<void> {
  await user.resource(namespaces).create({ metadata: { name: namespace } });
  for (let index = 0; index < 50; index += 1) {
    const name = `web-${index}`;
    const ports = [{ name: 'http', port: 80 }];
    await user.resource(services).create({ metadata: { namespace, name }, spec: { ports } });
    await user.resource(endpointSlices).create(slice(name, '10.0.0.1'));
  }
}

/** Of one Service after the other, each time to an address that it did not have. */
async function changeEndpoints(): Promise<void> {
  changes += 1;
  const name = `web-${changes % 50}`;
  await user.resource(endpointSlices).replace(slice(name, `10.1.${changes % 250}.${1 + Math.floor(changes / 250)}`));
}

function slice(name: string, address: string): EndpointSlice {
  return {
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [{ addresses: [address] }],
  };
}

/** Of pods that nobody runs. */
async function podTokens(count: number): Promise<readonly string[]> {
  while (!(await exists(serviceAccounts, 'default'))) await sleep(100);
  const made: string[] = [];
  const make = async (index: number): Promise<void> => {
    const containers = [{ name: 'main', image: 'none' }];
    const metadata = { namespace, name: `pod-${index}` };
    const { metadata: { uid = '' } = {} } = await user
      .resource(pods)
      .create({ metadata, spec: { schedulerName: 'nobody', containers } });
    const request: TokenRequest = {
      spec: {
        audiences: [linkAudience],
        expirationSeconds: 7200,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid },
      },
    };
    const { status } = await user
      .resource(serviceAccounts)
      .create<TokenRequest>(request, { subresource: 'token', namespace, name: 'default' });
    made.push(status?.token ?? '');
  };
  for (let from = 0; from < count; from += 50) {
    await Promise.all(Array.from({ length: Math.min(50, count - from) }, (_, index) => make(from + index)));
  }
  return made;
}

async function exists(type: ResourceType<object>, name: string): Promise<boolean> {
  const { items } = await user.resource(type).list({ namespace, fieldSelector: `metadata.name=${name}` });
  return items.length > 0;
}
