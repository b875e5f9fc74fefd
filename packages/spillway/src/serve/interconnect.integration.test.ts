// Services across both sides: a cluster with a real node, and a CCI region whose pods have an agent.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Region, startRegion } from '@spillway/cci-standin';
import { agnhostImage, type Cluster, peer, pushImage, startCluster } from '@spillway/devcluster';
import {
  type Container,
  deployments,
  events,
  type Job,
  jobs,
  KubeClient,
  loadKubeconfig,
  namespaces,
  type Pod,
  pods,
  type PodSpec,
  roleBindings,
  secrets,
  services,
  uidOf,
} from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { productImage } from '../../image/images.ts';
import type { Said } from '../../testkit/ask-names.ts';
import { javascriptClient } from '../../testkit/javascript-client.ts';
import { eventuallyWith } from '../../testkit/eventually.ts';
import { spillwayProgram } from '../../testkit/program.ts';
import { Testbed } from '../../testkit/testbed.ts';
import type { NetworkReport } from '../diagnosis/network/view.ts';
import { hasAgent } from '../podspec/agent-container.ts';

const run = promisify(execFile);
const namespace = 'shop';
const agentImage = 'docker.io/library/spillway-link-agent:test';
/** CCI uses it for its own Services. */
const serviceCidr = '10.247.0.0/16';
const soak = process.env['SPILLWAY_SOAK'] === '1';
const mebibytes = soak ? 1024 : 128;
/** How long the link server is away. */
const awayMs = soak ? 600_000 : 0;
const undo = new AsyncDisposableStack();
let cluster: Cluster;
let region: Region;
let testbed: Testbed;
let client: KubeClient;
let there: KubeClient;

const size = { cpu: '250m', memory: '256Mi' };
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';

function container(script: string, more: Partial<Container> = {}): Container {
  const command = ['sh', '-c', script];
  return { name: 'main', image: 'busybox', command, resources: { requests: size, limits: size }, ...more };
}

/** Says its name over HTTP at 8080, and over UDP at 8081. */
const netexec: Container = {
  name: 'main',
  image: agnhostImage,
  args: ['netexec', '--http-port=8080', '--udp-port=8081'],
  ports: [
    { name: 'http', containerPort: 8080 },
    { name: 'udp', containerPort: 8081, protocol: 'UDP' },
  ],
  readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  resources: { requests: size, limits: size },
};

/** Sends back what it gets. */
const echo = container('exec nc -ll -p 9000 -e cat', {
  readinessProbe: { tcpSocket: { port: 9000 }, periodSeconds: 1 },
});
/** Opens a connection and sends what is written to `/tmp/in`, whenever that is. */
const quiet = container(`mkfifo /tmp/in; sleep 100000 > /tmp/in & nc echo 91 < /tmp/in > /tmp/out; ${forever}`);

/** On the virtual node if `burst`, else on the real one. */
async function create(name: string, burst: boolean, spec: Partial<PodSpec>, app = name): Promise<Pod> {
  return await client.resource(pods).create({
    metadata: { namespace, name, labels: { app } },
    spec: {
      nodeName: burst ? testbed.nodeName : 'node-1',
      terminationGracePeriodSeconds: 1,
      containers: [container(forever)],
      ...spec,
    },
  });
}

/** A failure ends with what both sides say of the pods. */
const eventually = eventuallyWith({
  evidence: async () => {
    const all = ['-A', '-l', 'spillway.dev/pod-uid'];
    const told = await Promise.all([
      cluster.kubectl(['describe', 'pods', '-n', namespace]),
      region.cluster.kubectl(['get', 'pods', '-o', 'yaml', ...all]),
      region.cluster.kubectl(['get', 'events', '-A']),
      region.cluster.kubectl([
        'logs',
        '--prefix',
        '-c',
        'spillway-link',
        ...all.slice(1),
        '-n',
        await burstNamespace(),
      ]),
      cluster.kubectl(['get', 'events', '-n', namespace]),
    ]);
    const log = await readFile(testbed.logFile, 'utf8');
    return [...told.map(({ stdout, stderr }) => stdout + stderr), log].join('\n----\n');
  },
});

async function burstNamespace(): Promise<string> {
  const { items } = await there.resource(pods).list({ labelSelector: 'spillway.dev/pod-uid' });
  return items[0]?.metadata?.namespace ?? 'default';
}

const get = (name: string): Promise<Pod> => client.resource(pods).get({ namespace, name });
const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
const ready = (name: string): Promise<Pod> =>
  eventually(`pod ${name} is Ready`, async () => {
    const pod = await get(name);
    return isReady(pod) && pod;
  });

/** What a command prints in a pod. */
async function inPod(name: string, script: string): Promise<string> {
  const { stdout, stderr, code } = await cluster.kubectl(['exec', '-n', namespace, name, '--', 'sh', '-c', script]);
  if (code !== 0) throw new Error(`"${script}" in ${name} ended with ${code}: ${stderr}${stdout}`);
  return stdout.trim();
}

beforeAll(async () => {
  const [image, started] = await Promise.all([
    productImage('spillway-link-agent'),
    startCluster({ node: { cpu: '2' }, serviceCidr }),
  ]);
  cluster = undo.use(started);
  region = undo.use(await startRegion({ host: cluster.hostAddress, networkStepMs: 100, node: 'containers' }));
  await peer(cluster, region.cluster);
  await Promise.all([cluster, region.cluster].map(({ registry }) => pushImage(registry, agentImage, image)));
  client = undo.use(new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) }));
  there = undo.use(new KubeClient({ config: await loadKubeconfig({ paths: [region.cluster.kubeconfig] }) }));
  testbed = await Testbed.create({ cluster, backend: 'cci', cci: { at: region }, agentImage });
  undo.defer(async () => void (await testbed.stop('SIGKILL')));
  await client.resource(namespaces).create({ metadata: { name: namespace } });
  await testbed.start();
  const ports = [
    { name: 'http', port: 81, targetPort: 'http' },
    { name: 'udp', port: 90, targetPort: 8081, protocol: 'UDP' },
  ];
  for (const name of ['web', 'burst']) {
    await client.resource(services).create({ metadata: { namespace, name }, spec: { selector: { app: name }, ports } });
  }
  await client.resource(services).create({
    metadata: { namespace, name: 'ring' },
    spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ name: 'http', port: 8080 }] },
  });
  await client.resource(services).create({
    metadata: { namespace, name: 'same' },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 8080 }] },
  });
  await client.resource(services).create({
    metadata: { namespace, name: 'sticky' },
    spec: {
      selector: { app: 'web' },
      sessionAffinity: 'ClientIP',
      ports: [
        { name: 'first', port: 81, targetPort: 'http' },
        { name: 'second', port: 82, targetPort: 8080 },
      ],
    },
  });
  await client.resource(services).create({
    metadata: { namespace, name: 'alias' },
    spec: { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' },
  });
  await client.resource(services).create({
    metadata: { namespace, name: 'echo' },
    spec: { selector: { app: 'echo' }, ports: [{ port: 91, targetPort: 9000 }] },
  });
  await client.resource(services).create({
    metadata: { namespace, name: 'empty' },
    spec: { selector: { app: 'nobody' }, ports: [{ port: 80 }] },
  });
  await Promise.all([
    create('web-0', false, { containers: [netexec] }, 'web'),
    create('web-1', false, { containers: [netexec] }, 'web'),
    create('inside', false, { containers: [netexec] }),
    create('outside', true, { containers: [netexec] }),
    create('burst-0', true, { containers: [netexec] }, 'burst'),
    create('echo', false, { containers: [echo] }),
  ]);
  await Promise.all(['web-0', 'web-1', 'inside', 'outside', 'burst-0', 'echo'].map(ready));
  await create('quiet', true, { containers: [quiet] });
  await ready('quiet');
  await eventually('its connection is open', async () => /:91 +ESTABLISHED/.test(await inPod('quiet', 'netstat -tn')));
});

afterAll(() => undo.disposeAsync());

/** What the programs say that a pod has called, once for each try. */
async function called(from: string, url: string, tries = 1): Promise<{ responses?: string[]; errors?: string[] }> {
  const { protocol, hostname, port } = new URL(url);
  const query = new URLSearchParams({
    protocol: protocol.slice(0, -1),
    host: hostname,
    port,
    request: 'hostname',
    tries: String(tries),
  });
  return JSON.parse(await inPod(from, `wget -qO- 'http://127.0.0.1:8080/dial?${query.toString()}'`));
}

/** Prints the address that a name of the namespace has. */
const addressIn = (name: string): string =>
  `nslookup ${name}.${namespace}.svc.cluster.local | sed -n 's/^Address: *//p' | tail -n 1`;

/** Opens all connections first, and then asks on each. */
const manyConnections = `
const [host, port, count] = process.argv.slice(1);
const { connect } = require('node:net');
const { once } = require('node:events');
(async () => {
  const sockets = Array.from({ length: Number(count) }, () => connect({ host, port: Number(port) }));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const open = sockets.filter((socket) => socket.readyState === 'open').length;
  const answers = await Promise.all(sockets.map(async (socket) => {
    socket.write('GET /hostname HTTP/1.1\\r\\nHost: web\\r\\nConnection: close\\r\\n\\r\\n');
    let text = '';
    for await (const chunk of socket) text += chunk;
    return text.includes('200 OK');
  }));
  console.log(open + ' open, ' + answers.filter(Boolean).length + ' answered');
})();
`;

const connecting = (target: string): Promise<string> =>
  inPod('outside', `/agnhost connect --timeout=20s ${target} 2>&1; true`);

/** What a program prints that asks the API server as client libraries do, until it asks for the second time. */
const askedApiServer = (pod: string): Promise<string> =>
  eventually('a call of the API server', async () => {
    const ask = 'timeout 30 /agnhost inclusterclient --poll-interval 1 > /tmp/asked 2>&1 & asking=$!';
    const twice = 'until [ $(grep -c "calling /healthz" /tmp/asked) -ge 2 ] || ! kill -0 $asking; do sleep 0.1; done';
    const printed = await inPod(pod, `${ask}; ${twice}; kill $asking; cat /tmp/asked`);
    return printed.includes('calling /healthz') && printed;
  });

describe('a burst pod', () => {
  test.each(['web', 'web.shop', 'web.shop.svc', 'web.shop.svc.cluster.local', 'WEB.shop.svc.cluster.local.'])(
    'calls a Service of the cluster as %s, and gets all of its endpoints',
    async (name) => {
      const { responses = [], errors } = await called('outside', `http://${name}:81`, 30);
      expect(errors).toBeUndefined();
      expect(new Set(responses)).toEqual(new Set(['web-0', 'web-1']));
    },
  );

  test('over UDP, too', async () => {
    const { responses = [] } = await called('outside', 'udp://web:90', 5);
    expect(responses.every((each) => /^web-[01]$/.test(each))).toBe(true);
    expect(responses).toHaveLength(5);
  });

  test('gets the endpoints themselves of a headless Service, also where it listens at the same port', async () => {
    const { responses = [] } = await called('outside', 'http://ring:8080', 10);
    expect(responses.every((each) => /^web-[01]$/.test(each))).toBe(true);
    expect(responses).toHaveLength(10);
  });

  test('gets the endpoints of a Service at whose port it listens itself, and not itself', async () => {
    const { responses = [] } = await called('outside', 'http://same:8080', 10);
    expect(responses.every((each) => /^web-[01]$/.test(each))).toBe(true);
    expect(responses).toHaveLength(10);
  });

  test('stays with one endpoint if the Service says so, at each of its ports', async () => {
    const { responses = [] } = await called('outside', 'http://sticky:81', 20);
    expect(new Set(responses).size).toBe(1);
    expect(new Set((await called('outside', 'http://sticky:82', 20)).responses).size).toBe(1);
    expect(responses).toHaveLength(20);
  });

  test(`gets ${mebibytes} MiB through a Service unchanged`, async () => {
    const serve = `dd if=/dev/urandom of=/tmp/big bs=1M count=${mebibytes} 2>/dev/null; nc -l -p 9000 < /tmp/big > /dev/null 2>&1 & sleep 1; wait $!`;
    await create('big', false, { containers: [container(`${serve}; ${forever}`)] });
    await client.resource(services).create({
      metadata: { namespace, name: 'big' },
      spec: { selector: { app: 'big' }, ports: [{ port: 90, targetPort: 9000 }] },
    });
    await eventually('the file is served', async () => (await inPod('big', 'netstat -ltn')).includes(':9000'));
    const address = await eventually(
      'the address',
      async () => (await inPod('outside', addressIn('big'))) || undefined,
    );
    // Without an end of the input: BusyBox would take that of the one side for the end of both.
    const nc = `mkfifo /tmp/open; sleep 600 > /tmp/open & nc ${address} 90 < /tmp/open | md5sum; kill $!; rm /tmp/open`;
    const got = await inPod('outside', nc);
    expect(got).toBe((await inPod('big', 'md5sum < /tmp/big')).trim());
  });

  test('has a thousand connections to a Service at the same time', async () => {
    const address = await inPod('outside', addressIn('web'));
    const [command, ...words] = await inNetworkOf('outside');
    const { stdout } = await run(command, [...words, process.execPath, '-e', manyConnections, address, '81', '1000']);
    expect(stdout.trim()).toBe('1000 open, 1000 answered');
  });

  test('is refused at once by a Service without endpoints, and told of names that do not exist', async () => {
    const startedAt = Date.now();
    expect(await connecting('empty:80')).toContain('REFUSED');
    expect(await connecting('nothing:80')).toContain('DNS');
    // Who is not answered waits for 20 s.
    expect(Date.now() - startedAt).toBeLessThan(20_000);
  });

  test('asks the API server by its name and with its own token, as client libraries do', async () => {
    expect(await askedApiServer('outside')).not.toContain('failed');
    expect(await inPod('outside', 'echo $KUBERNETES_SERVICE_HOST $WEB_SERVICE_HOST')).toBe(
      'kubernetes.default.svc web.shop.svc',
    );
  });

  test("lists pods with Kubernetes' JavaScript client and its own token", async () => {
    await client.resource(roleBindings).create({
      metadata: { namespace, name: 'may-look' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', namespace, name: 'default' }],
    });
    const command = ['node', '-e', 'setInterval(() => undefined, 60_000)'];
    await create('javascript', true, { containers: [{ ...container(''), image: agentImage, command }] });
    const [program] = await Promise.all([javascriptClient(), ready('javascript')]);
    const args = ['exec', '-i', '-n', namespace, 'javascript', '--', 'node', '--input-type=module', '-', namespace];
    const { stdout, stderr } = await cluster.kubectl(args, { input: program });
    const [server, ...names] = stdout.trim().split('\n');
    expect(server, stderr).toBe('https://kubernetes.default.svc:443');
    expect(names).toEqual(expect.arrayContaining(['javascript', 'outside', 'web-0']));
  });

  test('shows nothing of its agent', async () => {
    const { status, spec } = await get('outside');
    expect(status?.containerStatuses?.map(({ name }) => name)).toEqual(['main']);
    expect(status?.initContainerStatuses).toBeUndefined();
    expect(spec?.initContainers).toBeUndefined();
    const { items } = await client.resource(events).list({ namespace });
    expect(
      items.filter(({ message, involvedObject }) =>
        `${message} ${involvedObject.fieldPath}`.includes('spillway-link}'),
      ),
    ).toEqual([]);
    const [burst] = (await there.resource(pods).list({ labelSelector: 'spillway.dev/pod-uid' })).items;
    expect(burst?.spec?.initContainers?.map(({ name }) => name)).toEqual(['spillway-link']);
  });

  test('has the log of its agent for those who know its name', async () => {
    const log = `/api/v1/nodes/${testbed.nodeName}/proxy/containerLogs/${namespace}/outside/spillway-link`;
    const { stdout } = await cluster.kubectl(['get', '--raw', log]);
    expect(stdout).toContain('connected to the link server');
  });
});

/** The arguments of `spillway doctor network`. */
const doctorNetwork = (image = agentImage): string[] => {
  const options = `--node ${testbed.nodeName} -n ${namespace} --image ${image} -o json`;
  return ['doctor', 'network', ...options.split(' ')];
};

/** What it finds, when it ends with this exit code. Nothing of it is left. */
async function networkReport(code: number, image?: string): Promise<NetworkReport> {
  const report: NetworkReport = JSON.parse(await testbed.spillway(doctorNetwork(image), [code]));
  expect(await leftOfDoctor()).toEqual([]);
  return report;
}

async function leftOfDoctor(): Promise<unknown[]> {
  const every = { namespace, labelSelector: 'spillway.dev/network-test' };
  const lists = await Promise.all([
    client.resource(jobs).list(every),
    client.resource(pods).list(every),
    client.resource(services).list(every),
  ]);
  return lists.flatMap(({ items }): unknown[] => items);
}

const statesOf = ({ cells }: NetworkReport, from: 'cluster' | 'burst'): Record<string, string> =>
  Object.fromEntries(
    cells.filter((cell) => cell.from === from).map(({ check, state, code = '' }) => [check, `${state} ${code}`.trim()]),
  );
const all = {
  podTcp: 'ok',
  podUdp: 'ok',
  name: 'ok',
  serviceTcp: 'ok',
  serviceUdp: 'ok',
  transfer: 'ok',
  endpoints: 'ok',
  apiServer: 'ok',
};

describe('spillway doctor network', () => {
  test('finds that each side reaches everything of the other', async () => {
    const report = await networkReport(0);
    expect(report).toMatchObject({ node: testbed.nodeName, interconnect: 'agent', findings: [] });
    expect(statesOf(report, 'cluster')).toEqual(all);
    expect(statesOf(report, 'burst')).toEqual(all);
  });

  test('says why its pods do not start', async () => {
    const { findings, cells } = await networkReport(3, 'busybox');
    expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      expect.stringMatching(
        /^network-pod-not-started: .*on a node of the cluster did not start: .*"node": executable file not found/,
      ),
      expect.stringMatching(
        /^network-pod-not-started: .*on the virtual node did not start: .*"node": executable file not found/,
      ),
    ]);
    expect(cells.every(({ state }) => state === 'skipped')).toBe(true);
  });

  test('leaves nothing behind when it is interrupted', async () => {
    const args = [...spillwayProgram.slice(1), ...doctorNetwork(), '--kubeconfig', cluster.kubeconfig];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    const closed = once(child, 'close');
    await eventually('its pods are there', async () => (await leftOfDoctor()).length === 6);
    child.kill('SIGINT');
    expect(await closed).toEqual([130, null]);
    expect(await leftOfDoctor()).toEqual([]);
  });
});

test('an agent that was killed is restarted, and nobody sees it', async () => {
  const before = await agentOf('outside');
  process.kill(Number(before), 'SIGKILL');
  await eventually('names are answered again', async () => {
    const { responses } = await called('outside', 'http://web:81');
    return responses !== undefined && (await agentOf('outside')) !== before;
  });
  await eventually('the restart is told', async () => {
    const { items } = await client.resource(events).list({ namespace });
    return items.some(
      ({ reason, involvedObject }) => reason === 'LinkAgentRestarted' && involvedObject.name === 'outside',
    );
  });
  const { status } = await get('outside');
  expect(status?.containerStatuses?.map(({ name, ready: is, restartCount }) => [name, is, restartCount])).toEqual([
    ['main', true, 0],
  ]);
});

describe('pods of the cluster', () => {
  test('call burst pods by a Service', async () => {
    expect(await called('inside', 'http://burst:81')).toEqual({ responses: ['burst-0'] });
    expect(await called('inside', 'udp://burst:90')).toEqual({ responses: ['burst-0'] });
  });

  test('never fail while burst pods come and go behind a Service', async () => {
    const labels = { app: 'scaled' };
    await client.resource(services).create({
      metadata: { namespace, name: 'scaled' },
      spec: { selector: labels, ports: [{ port: 81, targetPort: 8080 }] },
    });
    // As with any Service: a pod that is told to end answers until nobody sends it anything any more.
    const lifecycle = { preStop: { exec: { command: ['sleep', '5'] } } };
    const spec = {
      nodeName: testbed.nodeName,
      terminationGracePeriodSeconds: 10,
      containers: [{ ...netexec, lifecycle }],
    };
    await client.resource(deployments).create({
      metadata: { namespace, name: 'scaled' },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    });
    const scaledTo = async (replicas: number): Promise<void> => {
      await client
        .resource(deployments)
        .patch({ namespace, name: 'scaled' }, { type: 'merge', body: { spec: { replicas } } });
      await eventually(`${replicas} pods are Ready and no others are left`, async () => {
        const { items } = await client.resource(pods).list({ namespace, labelSelector: 'app=scaled' });
        return items.length === replicas && items.every(isReady);
      });
    };
    await scaledTo(1);
    const stopping = new AbortController();
    const failed: string[] = [];
    const answered = new Map<string, Set<string>>();
    const callers = ['inside', 'outside'].map(async (from) => {
      await eventually(
        'the first answer',
        async () => (await called(from, 'http://scaled:81')).responses !== undefined,
      );
      while (!stopping.signal.aborted) {
        const { responses = [], errors = [] } = await called(from, 'http://scaled:81', 20);
        failed.push(...errors.map((each) => `${from}: ${each}`));
        answered.set(from, new Set([...(answered.get(from) ?? []), ...responses]));
      }
    });
    for (const replicas of [4, 2, 4, 1]) {
      await scaledTo(replicas);
      // Each of them is called while it is there.
      const { items } = await client.resource(pods).list({ namespace, labelSelector: 'app=scaled' });
      const names = items.map(({ metadata }) => metadata?.name ?? '');
      await eventually('all of them to be called', () =>
        ['inside', 'outside'].every((from) => names.every((name) => answered.get(from)?.has(name))),
      );
    }
    stopping.abort();
    await Promise.all(callers);
    expect(failed).toEqual([]);
    for (const from of ['inside', 'outside']) expect(answered.get(from)?.size).toBeGreaterThan(3);
  });

  test('as burst pods call each other', async () => {
    expect(await called('outside', 'http://burst:81')).toEqual({ responses: ['burst-0'] });
  });
});

/** The process of the agent of a pod, which is in the network of the pod. */
async function agentOf(name: string): Promise<string> {
  const { status } = await get(name);
  const { stdout } = await run('pgrep', ['-f', '/usr/lib/spillway-link-agent/dist/main.js']);
  for (const pid of stdout.trim().split('\n')) {
    const { stdout: addresses } = await run('nsenter', ['-t', pid, '-n', 'ip', '-4', 'addr']).catch(() => ({
      stdout: '',
    }));
    if (addresses.includes(`inet ${status?.podIP}/`)) return pid;
  }
  throw new Error(`no agent has the address of ${name}`);
}

const inNetworkOf = async (name: string): Promise<readonly [string, ...string[]]> => [
  'nsenter',
  '-t',
  await agentOf(name),
  '-n',
];

interface Question {
  readonly name: string;
  readonly type: string;
}

/** What a name server says, asked by a program that runs as these words say, with cluster addresses in place of the agent's. */
async function said(
  within: readonly [string, ...string[]],
  server: string,
  questions: readonly Question[],
): Promise<Said[]> {
  const script = path.join(import.meta.dirname, '../../testkit/ask-names.ts');
  const args = ['--conditions=spillway-source', script, server, JSON.stringify(questions)];
  const [command, ...words] = within;
  const { stdout } = await run(command, [...words, process.execPath, ...args]);
  return JSON.parse(stdout);
}

/** CoreDNS answers from its cache with the name as it was asked for first. */
const lower = (each: unknown): string => JSON.stringify(each).toLowerCase();

describe('names in a burst pod', () => {
  const types = ['A', 'AAAA', 'SRV', 'CNAME', 'TXT', 'PTR'];
  const suffix = 'svc.cluster.local';

  test('are answered as in a pod of the cluster', async () => {
    const { items } = await client.resource(services).list();
    const addressOf = new Map(
      items.map(({ metadata, spec }) => [`${metadata?.name}.${metadata?.namespace}.${suffix}`, spec?.clusterIP ?? '']),
    );
    const endpoint = (await get('web-0')).status?.podIP ?? '';
    const dashed = endpoint.replaceAll('.', '-');
    // But for the one at whose port the pod itself listens.
    const ofServices = [...addressOf.keys()]
      .filter((name) => !name.startsWith('same.'))
      .flatMap((name) => [
        name,
        ...['_http._tcp', '_http._udp', '_udp._udp', '_none._tcp', dashed, 'nobody', 'a.b.c'].map(
          (each) => `${each}.${name}`,
        ),
      ]);
    const inCluster = [
      'nothing.shop',
      'web.nowhere',
      `web.shop.${suffix}.shop`,
      'example.com.shop',
      'WEB.shop',
      'Ring.SHOP',
      '_HTTP._TCP.web.shop',
      'shop',
      'nowhere',
    ].map((each) => `${each}.${suffix}`);
    const others = [
      suffix,
      'cluster.local',
      'dns-version.cluster.local',
      `${dashed}.shop.pod.cluster.local`,
      'example.com',
      `${endpoint.split('.').toReversed().join('.')}.in-addr.arpa`,
    ];
    const questions = [...ofServices, ...inCluster, ...others].flatMap((name) =>
      types.map((type): Question => ({ name, type })),
    );
    const [here, burst] = await Promise.all([
      said(['ip', 'netns', 'exec', path.basename(cluster.netns ?? '')], cluster.nodeAddress, questions),
      said(await inNetworkOf('outside'), '127.0.0.1', questions),
    ]);
    const withClusterAddress = (record: string): string => {
      const [name = '', type = '', data = ''] = record.split(' ');
      if (type !== 'A' || !data.startsWith('127.')) return record;
      const service = name
        .toLowerCase()
        .split('.')
        .filter((label) => !label.startsWith('_'))
        .join('.');
      return `${name} A ${addressOf.get(service)}`;
    };
    const different = questions.flatMap((question, index) => {
      const [ours, theirs] = [burst[index], here[index]];
      const mine = ours && {
        rcode: ours.rcode,
        answers: ours.answers.map(withClusterAddress),
        additionals: ours.additionals.map(withClusterAddress),
      };
      return lower(mine) === lower(theirs) ? [] : [{ question, mine, theirs }];
    });
    expect(different).toEqual([]);
    expect(here.filter(({ answers }) => answers.length > 0).length).toBeGreaterThan(20);
    expect(here.filter(({ rcode }) => rcode === 'NXDOMAIN').length).toBeGreaterThan(100);
  });

  test('lead back from the address of a Service to its name', async () => {
    const network = await inNetworkOf('outside');
    const [found] = await said(network, '127.0.0.1', [{ name: `web.shop.${suffix}`, type: 'A' }]);
    const [, , address = ''] = found?.answers[0]?.split(' ') ?? [];
    const reverse = `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
    const [back] = await said(network, '127.0.0.1', [{ name: reverse, type: 'PTR' }]);
    expect(back?.answers).toEqual([`${reverse} PTR web.shop.${suffix}`]);
  });
});

const job = (name: string, spec: Partial<PodSpec>, backoffLimit = 0): Job => ({
  metadata: { namespace, name },
  spec: {
    backoffLimit,
    template: { spec: { nodeName: testbed.nodeName, restartPolicy: 'Never', containers: [], ...spec } },
  },
});
const ends = (name: string, condition: string): Promise<unknown> =>
  eventually(`job ${name} is ${condition}`, async () => {
    const { status } = await client.resource(jobs).get({ namespace, name });
    return status?.conditions?.some(({ type, status: is }) => type === condition && is === 'True');
  });

const tokenOf = async (name: string): Promise<string> => {
  const uid = uidOf(await get(name));
  const [pod] = (await there.resource(pods).list({ labelSelector: `spillway.dev/pod-uid=${uid}` })).items;
  const volume = pod?.spec?.volumes?.find((each) => each.name === 'spillway-link');
  const { name: secret = '', items = [] } = volume?.projected?.sources?.[0]?.secret ?? {};
  const { data = {} } = await there.resource(secrets).get({ namespace: pod?.metadata?.namespace ?? '', name: secret });
  return Buffer.from(data[items[0]?.key ?? ''] ?? '', 'base64').toString();
};

/** What a pod says that it has called, told by the region: also while Spillway is away. */
const inRegion = async (url: string): Promise<string> => {
  const uid = uidOf(await get('outside'));
  const [pod] = (await there.resource(pods).list({ labelSelector: `spillway.dev/pod-uid=${uid}` })).items;
  const { protocol, hostname, port } = new URL(url);
  const query = `protocol=${protocol.slice(0, -1)}&host=${hostname}&port=${port}&request=hostname&tries=1`;
  const command = ['wget', '-qO-', `http://127.0.0.1:8080/dial?${query}`];
  const place = ['-n', pod?.metadata?.namespace ?? '', pod?.metadata?.name ?? '', '-c', 'main'];
  return (await region.cluster.kubectl(['exec', ...place, '--', ...command])).stdout;
};

describe('the token of an agent', () => {
  test('opens nothing of the API server', async () => {
    const token = await tokenOf('burst-0');
    expect(token.split('.')).toHaveLength(3);
    const { server } = await loadKubeconfig({ paths: [cluster.kubeconfig] });
    const header = `Authorization: Bearer ${token}`;
    const { stdout } = await run('curl', [
      '-sk',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-H',
      header,
      `${server}/api`,
    ]);
    expect(stdout).toBe('401');
  });
});

test('without the link server what is known goes on, and new names are known again when it is back', async () => {
  expect(await inRegion('http://web:81')).toContain('responses');
  await testbed.stop();
  const backAt = Date.now() + awayMs;
  do {
    expect(await inRegion('http://web:81')).toContain('responses');
    // Over the whole time, not at its ends alone.
    await sleep(awayMs / 100);
  } while (Date.now() < backAt);
  await client.resource(services).create({
    metadata: { namespace, name: 'new' },
    spec: { selector: { app: 'web' }, ports: [{ port: 81, targetPort: 8080 }] },
  });
  expect(await inRegion('http://new:81')).not.toContain('responses');
  await testbed.start();
  await eventually('the new name is known', async () => (await inRegion('http://new:81')).includes('responses'));
});

const hasAgentThere = async (name: string): Promise<boolean> => {
  const uid = uidOf(await ready(name));
  const [pod] = (await there.resource(pods).list({ labelSelector: `spillway.dev/pod-uid=${uid}` })).items;
  return hasAgent(pod?.spec);
};

test('switched off and on again, pods keep what they were started with, and what they know follows the cluster', async () => {
  const written = await readFile(testbed.configFile, 'utf8');
  const restartWith = async (config: string): Promise<void> => {
    await testbed.stop();
    await writeFile(testbed.configFile, config);
    await testbed.start();
  };
  await restartWith(written.replace('interconnect: agent', 'interconnect: off'));
  await create('plain', true, {});
  expect(await hasAgentThere('plain')).toBe(false);
  expect(await hasAgentThere('outside')).toBe(true);
  await client.resource(services).create({
    metadata: { namespace, name: 'late' },
    spec: { selector: { app: 'web' }, ports: [{ port: 81, targetPort: 8080 }] },
  });
  await eventually(
    'a pod with an agent knows a new name',
    async () => (await called('outside', 'http://late:81')).responses,
  );
  await restartWith(written);
  await create('again', true, { containers: [netexec] });
  expect(await hasAgentThere('again')).toBe(true);
  expect(await hasAgentThere('plain')).toBe(false);
  expect((await called('again', 'http://late:81')).responses?.[0]).toMatch(/^web-/);
});

test('a connection on which nothing was sent since the first test is still open', async () => {
  expect(await inPod('quiet', 'cat /tmp/out')).toBe('');
  await inPod('quiet', 'echo still here > /tmp/in');
  await eventually('the answer', async () => (await inPod('quiet', 'cat /tmp/out')) === 'still here');
});

describe('a Job', () => {
  test('completes when its own containers have ended; its init container uses a Service', async () => {
    const connects = container('/agnhost connect --timeout=5s web:81', { image: agnhostImage });
    const initContainers = [{ ...connects, name: 'first' }];
    const containers = [connects];
    await client.resource(jobs).create(job('good', { initContainers, containers }));
    await client.resource(jobs).create(job('bad', { containers: [container('exit 3')] }));
    await ends('good', 'Complete');
    await ends('bad', 'Failed');
  });

  test('is tried again in place with OnFailure', async () => {
    const volumes = [{ name: 'tries', emptyDir: {} }];
    const volumeMounts = [{ name: 'tries', mountPath: '/tries' }];
    const containers = [container('echo >> /tries/log; [ $(wc -l < /tries/log) -ge 2 ]', { volumeMounts })];
    await client.resource(jobs).create(job('again', { restartPolicy: 'OnFailure', volumes, containers }, 4));
    await ends('again', 'Complete');
  });
});

test('pods in another cluster have an agent, too', async () => {
  // At the end: what is installed for the first virtual node is replaced.
  await testbed.stop();
  const remote = { kubeconfig: region.cluster.kubeconfig };
  testbed = await Testbed.create({ cluster, backend: 'kubernetes', remote, nodeName: 'elsewhere', agentImage });
  await testbed.start();
  await create('far', true, { containers: [netexec] });
  await ready('far');
  const { responses = [] } = await called('far', 'http://web:81', 10);
  expect(responses).toHaveLength(10);
  const { status } = await get('far');
  expect(status?.containerStatuses?.map(({ name }) => name)).toEqual(['main']);
  expect(status?.initContainerStatuses).toBeUndefined();
});

test('where Services are routed, pods reach them without an agent', async () => {
  await testbed.stop();
  const network = ['-n', path.basename(region.cluster.netns ?? '')];
  const { stdout } = await run('ip', [...network, '-j', 'route', 'show', cluster.podCidrs[0] ?? '']);
  const [route]: readonly { readonly gateway: string }[] = JSON.parse(stdout);
  const via = ['via', route?.gateway ?? '', 'src', region.cluster.nodeAddress];
  const remote = { kubeconfig: region.cluster.kubeconfig };
  testbed = await Testbed.create({ cluster, backend: 'kubernetes', remote, nodeName: 'routed', routed: true });
  await testbed.start();
  const without = await networkReport(3);
  const unreachable = 'failed network-services-unreachable';
  expect(statesOf(without, 'cluster')).toEqual(all);
  expect(statesOf(without, 'burst')).toEqual({
    ...all,
    serviceTcp: unreachable,
    serviceUdp: unreachable,
    transfer: 'skipped',
    endpoints: 'skipped',
    apiServer: 'failed network-api-server-unreachable',
  });
  const missing = `${serviceCidr} must be routed to a node of the cluster, such as ${cluster.nodeAddress}`;
  for (const { check, from, remedy } of without.cells) {
    if (from === 'burst' && ['serviceTcp', 'apiServer'].includes(check)) expect(remedy).toContain(missing);
  }

  await run('ip', [...network, 'route', 'add', serviceCidr, ...via]);
  expect(statesOf(await networkReport(0), 'burst')).toEqual(all);
  const pod = await create('routed', true, { containers: [netexec] });
  await ready('routed');
  const { responses = [] } = await called('routed', 'http://web:81', 10);
  expect(responses).toHaveLength(10);
  expect(await inPod('routed', 'echo $KUBERNETES_SERVICE_HOST')).toBe('10.247.0.1');
  expect(await askedApiServer('routed')).not.toContain('failed');
  const [burst] = (await there.resource(pods).list({ labelSelector: `spillway.dev/pod-uid=${uidOf(pod)}` })).items;
  expect(hasAgent(burst?.spec)).toBe(false);
});
