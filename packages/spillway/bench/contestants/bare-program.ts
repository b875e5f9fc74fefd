// What a virtual node costs at least: the writes that no agent can do without, with as many requests in flight as Spillway
// allows itself, and nothing else. Answers are thrown away, nothing is compared, retried or remembered but the pods' names.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request, type RequestOptions } from 'node:https';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import {
  type ContainerState,
  type ContainerStatus,
  loadKubeconfig,
  type Pod,
  type PodCondition,
  type WatchEvent,
} from '@spillway/kube';

const inFlight = 32;
const leaseSeconds = 40;

class Bare {
  readonly #nodeName: string;
  readonly #writes: RequestOptions;
  readonly #watches: RequestOptions;
  readonly #started = new Set<string>();
  readonly #bound = new Set<string>();
  readonly #ended = new Set<string>();

  constructor(nodeName: string, to: RequestOptions) {
    this.#nodeName = nodeName;
    this.#writes = { ...to, agent: new Agent({ keepAlive: true, maxSockets: inFlight }) };
    this.#watches = { ...to, agent: false };
  }

  async run(): Promise<void> {
    const name = this.#nodeName;
    await this.#write('POST', '/api/v1/nodes', {
      metadata: { name, labels: { type: 'virtual-kubelet' } },
      spec: { taints: [{ key: 'virtual-kubelet.io/burst-to-cci', value: 'true', effect: 'NoSchedule' }] },
    });
    const room = { cpu: '100k', memory: '1Pi', pods: '100k' };
    const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady' };
    const status = { capacity: room, allocatable: room, conditions: [ready] };
    await this.#write('PATCH', `/api/v1/nodes/${name}/status`, { status });
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
    const spec = (): object => ({
      holderIdentity: name,
      leaseDurationSeconds: leaseSeconds,
      renewTime: new Date().toISOString().replace('Z', '000Z'),
    });
    await this.#write('POST', leases, { metadata: { name }, spec: spec() });
    setInterval(() => void this.#write('PATCH', `${leases}/${name}`, { spec: spec() }), 10_000);
    await Promise.all([
      this.#watch(`spec.nodeName=${name}`, (pod) => this.#serve(pod)),
      this.#watch('spec.nodeName=', (pod) => this.#place(pod)),
    ]);
  }

  #serve(pod: Pod): void {
    const { uid = '', deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata ?? {};
    if (deletionTimestamp === undefined) {
      if (!claimed(this.#started, uid)) return;
      void this.#write('PATCH', `${pathOf(pod)}/status`, { status: running(pod) });
      const [command, seconds] = pod.spec?.containers[0]?.command ?? [];
      if (command === 'sleep') setTimeout(() => void this.#succeed(pod), Number(seconds) * 1000);
      // The API server deletes a pod that has ended by itself.
    } else if (deletionGracePeriodSeconds !== 0 && claimed(this.#ended, uid)) void this.#end(pod);
  }

  async #succeed(pod: Pod): Promise<void> {
    await this.#write('PATCH', `${pathOf(pod)}/status`, { status: terminated(pod) });
  }

  async #end(pod: Pod): Promise<void> {
    await this.#succeed(pod);
    const preconditions = { uid: pod.metadata?.uid };
    await this.#write('DELETE', pathOf(pod), {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      preconditions,
    });
  }

  /** Pods that overflow when the scheduler has given up on them, and those that it never sees. */
  #place(pod: Pod): void {
    const { uid = '', name, deletionTimestamp } = pod.metadata ?? {};
    const isGivenUp = pod.status?.conditions?.some(({ reason }) => reason === 'Unschedulable') === true;
    if (deletionTimestamp !== undefined || !(isGivenUp || pod.spec?.schedulerName === 'spillway')) return;
    if (!claimed(this.#bound, uid)) return;
    const target = { apiVersion: 'v1', kind: 'Node', name: this.#nodeName };
    void this.#write('POST', `${pathOf(pod)}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name },
      target,
    });
  }

  async #write(method: 'POST' | 'PATCH' | 'DELETE', path: string, body: object): Promise<void> {
    const text = JSON.stringify(body);
    const headers = {
      'content-type': method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json',
      'content-length': Buffer.byteLength(text),
    };
    const response = await ask({ ...this.#writes, method, path, headers }, text);
    response.resume();
    if ((response.statusCode ?? 0) >= 300) throw new Error(`${method} ${path}: ${response.statusCode}`);
    await once(response, 'end');
  }

  /** Resolves when the watch is open. One that ends goes on where it was: the API server ends that of a client that is slow. */
  async #watch(fieldSelector: string, see: (pod: Pod) => void, from = '0'): Promise<void> {
    const query = new URLSearchParams({ watch: 'true', fieldSelector, resourceVersion: from, timeoutSeconds: '86400' });
    const response = await ask({ ...this.#watches, method: 'GET', path: `/api/v1/pods?${query.toString()}` }, '');
    let last = from;
    const lines = createInterface({ input: response });
    lines.on('line', (line) => {
      const { type, object } = JSON.parse(line) as WatchEvent<Pod> | { readonly type: 'ERROR'; readonly object: Pod };
      if (type === 'ERROR') throw new Error(`the watch of pods with ${fieldSelector} has failed: ${line}`);
      last = object.metadata?.resourceVersion ?? last;
      if (type === 'ADDED' || type === 'MODIFIED') see(object);
    });
    lines.on('close', () => void this.#watch(fieldSelector, see, last));
  }
}

/** Whether the pod was not in the set. */
function claimed(set: Set<string>, uid: string): boolean {
  const { size } = set;
  return set.add(uid).size > size;
}

async function ask(options: RequestOptions, body: string): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request(options, resolve).on('error', reject).end(body);
  return await promise;
}

function pathOf({ metadata }: Pod): string {
  return `/api/v1/namespaces/${metadata?.namespace}/pods/${metadata?.name}`;
}

function running(pod: Pod): Pod['status'] {
  const startedAt = new Date().toISOString();
  return {
    phase: 'Running',
    startTime: startedAt,
    hostIP: '10.0.0.1',
    podIP: '10.0.0.2',
    podIPs: [{ ip: '10.0.0.2' }],
    conditions: conditions('True'),
    containerStatuses: containers(pod, true, { running: { startedAt } }),
  };
}

function terminated(pod: Pod): Pod['status'] {
  const finishedAt = new Date().toISOString();
  return {
    phase: 'Succeeded',
    conditions: conditions('False'),
    containerStatuses: containers(pod, false, { terminated: { exitCode: 0, reason: 'Completed', finishedAt } }),
  };
}

function containers({ spec }: Pod, ready: boolean, state: ContainerState): ContainerStatus[] {
  return (spec?.containers ?? []).map(({ name, image = '' }) => {
    const id = `bare://${name}`;
    return { name, image, imageID: image, containerID: id, ready, started: ready, restartCount: 0, state };
  });
}

function conditions(ready: 'True' | 'False'): PodCondition[] {
  const lastTransitionTime = new Date().toISOString();
  return [
    { type: 'Initialized', status: 'True', lastTransitionTime },
    { type: 'PodScheduled', status: 'True', lastTransitionTime },
    { type: 'ContainersReady', status: ready, lastTransitionTime },
    { type: 'Ready', status: ready, lastTransitionTime },
  ];
}

const stalls = monitorEventLoopDelay({ resolution: 10 });
stalls.enable();
process.on('SIGUSR2', () => {
  process.stdout.write(`${JSON.stringify({ stallSeconds: stalls.max / 1e9 })}\n`);
  stalls.reset();
});
const [kubeconfig = '', nodeName = ''] = process.argv.slice(2);
const config = await loadKubeconfig({ paths: [kubeconfig] });
const { hostname, port } = new URL(config.server);
const { credentials } = await config.credentials.current();
const { clientCert: cert, clientKey: key } = credentials;
await new Bare(nodeName, { hostname, port, ca: config.ca, cert, key }).run();
