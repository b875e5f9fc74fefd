// Services across both sides: a cluster with a real node, and a CCI region whose pods have an agent.
import { type Region, startRegion } from '@spillway/cci-standin';
import { agnhostImage, type Cluster, peer, pushImage, startCluster } from '@spillway/devcluster';
import {
  type Container,
  events,
  type Job,
  jobs,
  KubeClient,
  loadKubeconfig,
  namespaces,
  type Pod,
  pods,
  type PodSpec,
  services,
} from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentImage, buildAgentImage } from '../../testkit/agent-image.ts';
import { eventually } from '../../testkit/eventually.ts';
import { Testbed } from '../../testkit/testbed.ts';

const namespace = 'shop';
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
  const [image, started] = await Promise.all([buildAgentImage(), startCluster({ node: { cpu: '2' } })]);
  cluster = undo.use(started);
  region = undo.use(await startRegion({ host: cluster.hostAddress, networkStepMs: 100, node: 'containers' }));
  await peer(cluster, region.cluster);
  await pushImage(region.cluster.registry, agentImage, image);
  client = undo.use(new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) }));
  there = undo.use(new KubeClient({ config: await loadKubeconfig({ paths: [region.cluster.kubeconfig] }) }));
  testbed = await Testbed.create({ cluster, backend: 'cci', cci: { at: region }, agentImage });
  undo.defer(async () => void (await testbed.stop('SIGKILL')));
  await client.resource(namespaces).create({ metadata: { name: namespace } });
  await testbed.start();
  const ports = [
    { name: 'http', port: 80, targetPort: 'http' },
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
    metadata: { namespace, name: 'empty' },
    spec: { selector: { app: 'nobody' }, ports: [{ port: 80 }] },
  });
  await Promise.all([
    create('web-0', false, { containers: [netexec] }, 'web'),
    create('web-1', false, { containers: [netexec] }, 'web'),
    create('inside', false, {}),
    create('outside', true, {}),
    create('burst-0', true, { containers: [netexec] }, 'burst'),
  ]);
  await Promise.all(['web-0', 'web-1', 'inside', 'outside', 'burst-0'].map(ready));
});

afterAll(() => undo.disposeAsync());

describe('a burst pod', () => {
  test('calls a Service of the cluster by each of its names, and gets all of its endpoints', async () => {
    for (const name of ['web', 'web.shop', 'web.shop.svc', 'web.shop.svc.cluster.local']) {
      expect(await inPod('outside', `wget -qO- -T 5 http://${name}/hostname`)).toMatch(/^web-[01]$/);
    }
    const answers = await inPod('outside', 'for i in $(seq 30); do wget -qO- http://web/hostname; echo; done');
    expect(new Set(answers.split('\n'))).toEqual(new Set(['web-0', 'web-1']));
  });

  test('over UDP, too', async () => {
    expect(await inPod('outside', 'echo hostname | nc -u -w 2 web 90')).toMatch(/^web-[01]$/);
  });

  test('gets the endpoints themselves of a headless Service', async () => {
    const { status } = await get('web-0');
    expect(await inPod('outside', 'nslookup ring.shop.svc.cluster.local')).toContain(status?.podIP);
    expect(await inPod('outside', 'wget -qO- http://ring:8080/hostname')).toMatch(/^web-[01]$/);
  });

  test('is refused at once by a Service without endpoints, and told of names that do not exist', async () => {
    const startedAt = Date.now();
    await expect(inPod('outside', 'wget -qO- http://empty/')).rejects.toThrow(/refused/);
    await expect(inPod('outside', 'wget -qO- http://nothing/')).rejects.toThrow(/bad address/);
    expect(Date.now() - startedAt).toBeLessThan(10_000);
  });

  test('asks the API server by its name and with its own token', async () => {
    const script = [
      'echo $KUBERNETES_SERVICE_HOST',
      'cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; echo',
      'T=$(cat /var/run/secrets/kubernetes.io/serviceaccount/token)',
      'wget -qO- --no-check-certificate --header "Authorization: Bearer $T" https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/version',
    ].join('; ');
    const answer = await inPod('outside', script);
    expect(answer).toContain('kubernetes.default.svc\nshop\n');
    expect(answer).toContain('gitVersion');
  });

  test('shows nothing of its agent', async () => {
    const { status, spec } = await get('outside');
    expect(status?.containerStatuses?.map(({ name }) => name)).toEqual(['main']);
    expect(status?.initContainerStatuses).toBeUndefined();
    expect(spec?.initContainers).toBeUndefined();
    const { items } = await client.resource(events).list({ namespace });
    expect(items.filter(({ message }) => message?.includes('spillway-link'))).toEqual([]);
    const [burst] = (await there.resource(pods).list({ labelSelector: 'spillway.dev/pod-uid' })).items;
    expect(burst?.spec?.initContainers?.map(({ name }) => name)).toEqual(['spillway-link']);
  });
});

describe('pods of the cluster', () => {
  test('call burst pods by a Service', async () => {
    expect(await inPod('inside', 'wget -qO- -T 5 http://burst/hostname')).toBe('burst-0');
    expect(await inPod('inside', 'echo hostname | nc -u -w 2 burst 90')).toBe('burst-0');
  });

  test('as burst pods call each other', async () => {
    expect(await inPod('outside', 'wget -qO- -T 5 http://burst/hostname')).toBe('burst-0');
  });
});

describe('a Job', () => {
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

  test('completes when its own containers have ended; its init container uses a Service', async () => {
    const initContainers = [container('wget -qO- -T 5 http://web/hostname', { name: 'first' })];
    const containers = [container('wget -qO- -T 5 http://web/hostname')];
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
