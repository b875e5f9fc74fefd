import {
  ApiError,
  errorMessage,
  type KubeClient,
  nameOf,
  type Node,
  nodes,
  type Pod,
  refOf,
  type Service,
  serviceCIDRs,
  TransportError,
} from '@spillway/kube';
import { backendAnnotation } from '../../podspec/contract.ts';
import type { Interconnect } from '../../podspec/fit/support.ts';
import { agentContainer } from '../../podspec/agent-container.ts';
import { hostOf, nameOfTest, servicePorts, type TestRun } from './objects.ts';
import { askCommand, type Answer, probePorts, type ProbeReport, type Question } from './probe.ts';
import { runInPod } from './run-in-pod.ts';
import { TestPods, type TestPodsOptions } from './test-pods.ts';
import { type Asked, type Check, checks, type NetworkView, otherSide, type Side, type SideView } from './view.ts';

export interface InspectNetworkOptions extends TestPodsOptions {
  readonly virtualNode: Node;
  /** Size of the large transfer. */
  readonly bytes: number;
}

type Questions = Partial<Record<Check, Question>>;

/** Before the endpoints of a new Service are known everywhere. */
const settleMs = 10_000;
const followMs = 15_000;

/**
 * Starts a pod on each side, asks each about the other, and removes both whatever happens, also when `signal` is aborted.
 * @throws ApiError, TransportError
 */
export async function inspectNetwork(options: InspectNetworkOptions, signal: AbortSignal): Promise<NetworkView> {
  const { run, onProgress } = options;
  const pods = new TestPods(options);
  let seen: NetworkView;
  try {
    onProgress(`starting a pod on a node of the cluster and one on ${run.nodeName}, with the image ${run.image}`);
    seen = await look(options, pods, signal);
  } catch (error) {
    onProgress('removing the test pods');
    const notRemoved = await pods.remove();
    if (notRemoved !== undefined) onProgress(notRemoved);
    throw error;
  }
  onProgress('removing the test pods');
  const notRemoved = await pods.remove();
  return notRemoved === undefined ? seen : { ...seen, notRemoved };
}

async function look(options: InspectNetworkOptions, pods: TestPods, signal: AbortSignal): Promise<NetworkView> {
  const { client, run, virtualNode } = options;
  const services = await pods.create(signal);
  const [cluster, burst] = await Promise.all([pods.started('cluster', signal), pods.started('burst', signal)]);
  const known = {
    nodeName: run.nodeName,
    interconnect: interconnectOf(virtualNode),
    clusterIps: { cluster: clusterIp(services.cluster), burst: clusterIp(services.burst) },
    serviceNetworks: await serviceNetworks(client, signal),
  };
  if ('notStarted' in cluster || 'notStarted' in burst) {
    const notStarted = {
      ...('notStarted' in cluster && { cluster: cluster.notStarted }),
      ...('notStarted' in burst && { burst: burst.notStarted }),
    };
    return { ...known, notStarted, sides: undefined, clusterNode: { podNetworks: [], address: '' } };
  }
  const both = { cluster: cluster.pod, burst: burst.pod };
  const asked = await askAll({ ...options, pods: both, signal }, pods);
  const said = await agentSays(client, both.burst, signal);
  return {
    ...known,
    notStarted: {},
    sides: asked,
    clusterNode: await clusterNode(client, both.cluster, signal),
    ...(said !== undefined && { agentSays: said }),
  };
}

type BothSides = Readonly<Record<Side, SideView>>;

interface Asking extends InspectNetworkOptions {
  readonly pods: Readonly<Record<Side, Pod>>;
  readonly signal: AbortSignal;
}

/** The questions that take a Service to be reached come after the one that says so. */
async function askAll(asking: Asking, testPods: TestPods): Promise<BothSides> {
  const { run, onProgress, signal } = asking;
  onProgress('asking each about the other: addresses, names, TCP, UDP, the API server');
  const first = await askBoth(asking, (from) => firstQuestions(run, from, asking.pods[otherSide(from)]));
  const askReached = (ofTarget: (to: Side) => Questions): Promise<BothSides> =>
    askBoth(asking, (from) => (first[from].asked.serviceTcp?.answer.ok === true ? ofTarget(otherSide(from)) : {}));
  onProgress('asking each for a large transfer');
  const transferred = await askReached((to) => transferQuestion(asking, to));
  onProgress('changing the endpoints of the Services');
  await testPods.direct('nobody', signal);
  const silent = await askReached((to) => endpointQuestion(run, to, 'silent'));
  await testPods.direct('pods', signal);
  const again = await askReached((to) => endpointQuestion(run, to, 'tcp'));
  const together = (side: Side): SideView => {
    const followed = silent[side].asked.endpoints?.answer.ok === true ? again[side] : silent[side];
    const parts = [first[side], transferred[side], followed];
    const notAsked = parts.find((part) => part.notAsked !== undefined)?.notAsked;
    return {
      ...first[side],
      asked: Object.assign({}, ...parts.map(({ asked }) => asked)),
      ...(notAsked !== undefined && { notAsked }),
    };
  };
  return { cluster: together('cluster'), burst: together('burst') };
}

function firstQuestions(run: TestRun, from: Side, target: Pod): Questions {
  const to = otherSide(from);
  const address = target.status?.podIP ?? '';
  const [host, expect, withinMs] = [hostOf(run, to), nameOfTest(run, to), settleMs];
  return {
    podTcp: { kind: 'tcp', host: address, port: probePorts.tcp, expect, withinMs },
    podUdp: { kind: 'udp', host: address, port: probePorts.udp, expect, withinMs },
    name: { kind: 'name', host, withinMs },
    serviceTcp: { kind: 'tcp', host, port: servicePorts.tcp, expect, withinMs },
    serviceUdp: { kind: 'udp', host, port: servicePorts.udp, expect, withinMs },
    apiServer: { kind: 'api', withinMs },
  };
}

function transferQuestion({ run, bytes }: InspectNetworkOptions, to: Side): Questions {
  return { transfer: { kind: 'transfer', host: hostOf(run, to), port: servicePorts.tcp, bytes, withinMs: 0 } };
}

function endpointQuestion(run: TestRun, to: Side, kind: 'silent' | 'tcp'): Questions {
  const where = { host: hostOf(run, to), port: servicePorts.tcp, expect: nameOfTest(run, to), withinMs: followMs };
  return { endpoints: { kind, ...where } };
}

async function askBoth(asking: Asking, questionsFrom: (side: Side) => Questions): Promise<BothSides> {
  const [cluster, burst] = await Promise.all([
    ask(asking, 'cluster', questionsFrom('cluster')),
    ask(asking, 'burst', questionsFrom('burst')),
  ]);
  return { cluster, burst };
}

async function ask({ client, pods, signal }: Asking, side: Side, questions: Questions): Promise<SideView> {
  const pod = pods[side];
  const known = {
    pod: `Pod ${pod.metadata?.namespace}/${nameOf(pod)}`,
    node: pod.spec?.nodeName ?? '',
    address: pod.status?.podIP ?? '',
    nameServers: [],
    apiServer: '',
    asked: {},
  };
  const entries = checks.flatMap((check): readonly (readonly [Check, Question])[] => {
    const question = questions[check];
    return question === undefined ? [] : [[check, question]];
  });
  if (entries.length === 0) return known;
  try {
    const printed = await runInPod(client, refOf(pod), askCommand(entries.map(([, question]) => question)), signal);
    const { answers, surroundings }: ProbeReport = JSON.parse(printed);
    const asked = entries.map(([check, question], index): [Check, Asked] => [
      check,
      { question, answer: answers[index] ?? noAnswer },
    ]);
    return { ...known, ...surroundings, asked: Object.fromEntries(asked) };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ApiError) && !(error instanceof TransportError) && !(error instanceof SyntaxError))
      throw error;
    return { ...known, notAsked: errorMessage(error) };
  }
}

const noAnswer: Answer = { ok: false, ms: 0, code: '', text: 'the pod did not answer' };

const clusterIp = ({ spec }: Service): string => spec?.clusterIP ?? '';

/** The node says it with the name of its backend. */
function interconnectOf({ metadata }: Node): Interconnect | undefined {
  const backend = metadata?.annotations?.[backendAnnotation];
  if (backend === undefined) return undefined;
  return (['agent', 'route'] as const).find((mode) => backend.endsWith(`+${mode}`)) ?? 'off';
}

/** Undefined where the API server does not say it. */
async function ifTold<T>(question: () => Promise<T>): Promise<T | undefined> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

async function serviceNetworks(client: KubeClient, signal: AbortSignal): Promise<readonly string[]> {
  const list = await ifTold(() => client.resource(serviceCIDRs).list({ signal }));
  return list?.items.flatMap(({ spec }) => spec?.cidrs ?? []) ?? [];
}

async function clusterNode(client: KubeClient, pod: Pod, signal: AbortSignal): Promise<NetworkView['clusterNode']> {
  const address = pod.status?.hostIP ?? '';
  const node = await ifTold(() => client.resource(nodes).get({ name: pod.spec?.nodeName ?? '' }, { signal }));
  return { address, podNetworks: node?.spec?.podCIDRs ?? [] };
}

/** The last warning in the log of the agent, if there is one and its log may be read. */
async function agentSays(client: KubeClient, pod: Pod, signal: AbortSignal): Promise<string | undefined> {
  const log = `/api/v1/nodes/${pod.spec?.nodeName}/proxy/containerLogs/${pod.metadata?.namespace}/${nameOf(pod)}/${agentContainer}`;
  const text = await ifTold(() =>
    client.request<string>({ method: 'GET', path: log, query: { tailLines: 50 }, signal }),
  );
  return typeof text === 'string' ? lastWarning(text) : undefined;
}

function lastWarning(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => line.startsWith('{'));
  // What is connected now had a warning once, and has none any more.
  for (const line of lines.toReversed()) {
    const { level, message, time: _, ...more }: Record<string, unknown> = JSON.parse(line);
    if (message === 'connected to the link server') return undefined;
    if (level === 'warn') return [message, ...Object.values(more)].map(String).join(': ');
  }
  return undefined;
}
