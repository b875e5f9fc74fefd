import { busyboxImage, type Cluster, type ClusterOptions, peer, pushImage, startCluster } from '@spillway/devcluster';
import { ownRegion } from '../demo/region.ts';
import { productImage } from '../image/images.ts';
import { Kubectl } from '../testkit/kubectl.ts';
import { applyRequestsPolicy, type RequestsPolicy } from '../testkit/requests-policy.ts';
import { Testbed, type TestbedOptions } from '../testkit/testbed.ts';
import type { TargetName } from './options.ts';

/** A cluster whose only schedulable node is what is tested. */
export interface Target extends AsyncDisposable {
  /** Where the tests make their objects. */
  readonly cluster: Cluster;
  /** In whose registries the images must be. */
  readonly registries: readonly Cluster[];
}

export interface TargetOptions {
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Kubernetes' limit of 110 is for one test at a time. */
const node = { memory: '8Gi', maxPods: 250 };

const starts: Readonly<Record<TargetName, (options: TargetOptions) => Promise<Target>>> = {
  control: startControl,
  kubernetes: startKubernetes,
  cci: startCci,
  agent: startAgent,
};

export function startTarget(name: TargetName, options: TargetOptions): Promise<Target> {
  return starts[name](options);
}

async function startControl(options: TargetOptions): Promise<Target> {
  const cluster = await startCluster({ ...options, node });
  return { cluster, registries: [cluster], [Symbol.asyncDispose]: () => cluster.close() };
}

/** The real node serves Services and names, and takes no pods: those run on the second cluster, and reach both by a route. */
async function startKubernetes(options: TargetOptions): Promise<Target> {
  await using started = new AsyncDisposableStack();
  const begin = async (more: ClusterOptions): Promise<Cluster> =>
    started.use(await startCluster({ ...options, ...more }));
  const settled = await Promise.allSettled([
    begin({ node: { memory: '1Gi' } }),
    begin({ node: { ...node, podCidr: '10.248.0.0/16', services: false } }),
  ]);
  const [cluster, remote] = settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
  if (cluster === undefined || remote === undefined) throw new Error('two clusters were to be started');
  await peer(cluster, remote, { servicesOf: cluster });
  const { kubeconfig } = remote;
  const testbed = await Testbed.create({
    cluster,
    backend: 'kubernetes',
    remote: { kubeconfig, hostsImage: busyboxImage },
    taints: [],
  });
  await serve(testbed, cluster, started);
  const running = started.move();
  return { cluster, registries: [remote], [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Where pods are sold by size, each has to say one. What a LimitRange is for users, who know their namespaces, this is for the tests. */
const defaultRequests: RequestsPolicy = {
  name: 'default-requests',
  // Tests make theirs.
  namespaceSelector: {
    matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] }],
  },
  containers: [
    'object.spec.containers.map(c, has(c.resources) && has(c.resources.requests) && "cpu" in c.resources.requests',
    '? Object.spec.containers{name: c.name}',
    ': Object.spec.containers{name: c.name, resources: Object.spec.containers.resources{requests: {"cpu": "250m", "memory": "512Mi"}}})',
  ].join(' '),
  probe: { namespace: 'default', cpu: '250m' },
};

function startCci(options: TargetOptions): Promise<Target> {
  return startRegional(options, {});
}

const agentImage = 'docker.io/library/spillway-link-agent:test';

/** As {@link startCci}; what pods know of Services they know from their agents. */
async function startAgent(options: TargetOptions): Promise<Target> {
  const image = await productImage('spillway-link-agent');
  const target = await startRegional(options, { agentImage });
  try {
    await Promise.all(target.registries.map(({ registry }) => pushImage(registry, agentImage, image)));
    return target;
  } catch (error) {
    await target[Symbol.asyncDispose]();
    throw error;
  }
}

async function startRegional(
  options: TargetOptions,
  interconnect: Pick<TestbedOptions, 'agentImage'>,
): Promise<Target> {
  await using started = new AsyncDisposableStack();
  const cluster = started.use(await startCluster({ ...options, node: { memory: '1Gi' } }));
  const region = started.use(await ownRegion({ cluster, containers: true, log: options.log }));
  const testbed = await Testbed.create({
    cluster,
    backend: 'cci',
    cci: { at: region, volumeRefresh: true },
    taints: [],
    ...interconnect,
  });
  await serve(testbed, cluster, started);
  await applyRequestsPolicy(new Kubectl(cluster), defaultRequests);
  const running = started.move();
  return { cluster, registries: [region.cluster], [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function serve(testbed: Testbed, cluster: Cluster, started: AsyncDisposableStack): Promise<void> {
  await cluster.kubectl(['cordon', cluster.nodeName ?? '']);
  started.use(testbed);
  await testbed.start();
}
