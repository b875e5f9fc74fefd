import { once } from 'node:events';
import { type Cluster, peer, startCluster } from '@spillway/devcluster';
import type { Pod } from '@spillway/kube';
import { PortForward } from '../../testkit/port-forward.ts';
import { environmentOf, type KubectlProgram } from '../../testkit/run.ts';
import { kubectl } from '../contestants/contestant.ts';
import { median } from '../observe/quantile.ts';
import type { Figure, Figures } from '../report/results.ts';
import { since } from './burst.ts';
import type { Scenario, Turn } from './scenario.ts';

/** A kubelet begins a new log file after 10 MiB, and shows only that. */
const logMebibytes = 8;
const times = 3;
const port = 8080;
const kinds = ['logs', 'exec', 'port-forward'] as const;
type Kind = (typeof kinds)[number];
type Way = 'spillway' | 'kubelet';

export const streams: Scenario = {
  name: 'streams',
  about: 'logs, exec and port-forward of kubectl, through Spillway and through the kubelet that runs the pod',
  contestants: ['spillway'],
  pods: [64],
  unit: 'MiB',
  figures: kinds.flatMap((kind): Figure[] => [
    { key: `${kind} spillway`, label: `${kind}, MB/s`, factor: 1e-6, decimals: 0 },
    { key: `${kind} kubelet`, label: `${kind} of the kubelet alone, MB/s`, factor: 1e-6, decimals: 0 },
    { key: `${kind} ratio`, label: `${kind}, of the kubelet's`, decimals: 2, goals: [{ atLeast: 1 }] },
  ]),
  measure,
};

interface Place {
  readonly cluster: Cluster;
  readonly namespace: string;
}

/** The same pod twice on one kubelet: as a burst pod, and as a pod of the kubelet's own cluster. */
async function measure(turn: Turn): Promise<Figures> {
  const { cluster, namespace, pods: mebibytes, signal } = turn;
  const node = { podCidr: '10.246.0.0/16', services: false };
  await using there = await startCluster({ name: 'bench-there', node, signal });
  await peer(cluster, there);
  await kubectl(there, ['wait', '--for=create', '--timeout=60s', 'serviceaccount/default', '-n', 'default']);
  await using contestant = await turn.start({ backend: 'kubernetes', remote: { kubeconfig: there.kubeconfig } });
  const places: Readonly<Record<Way, Place>> = {
    spillway: { cluster, namespace },
    kubelet: { cluster: there, namespace: 'default' },
  };
  const [name = ''] = turn.names.next(1);
  await startPod(places.kubelet, streamPod(name, mebibytes));
  await startPod(places.spillway, streamPod(name, mebibytes, contestant.nodeName));
  const figures: Record<string, number> = {};
  for (const kind of kinds) {
    const rates: Record<Way, number[]> = { spillway: [], kubelet: [] };
    // The first of each does not count.
    for (let turns = 0; turns <= times; turns += 1) {
      for (const way of turns % 2 === 0 ? (['spillway', 'kubelet'] as const) : (['kubelet', 'spillway'] as const)) {
        signal.throwIfAborted();
        const rate = await bytesPerSecond(kind, places[way], name, mebibytes * 2 ** 20);
        if (turns > 0) rates[way].push(rate);
      }
    }
    const ratios = rates.spillway.map((rate, index) => rate / (rates.kubelet[index] ?? Number.NaN));
    figures[`${kind} spillway`] = middle(rates.spillway);
    figures[`${kind} kubelet`] = middle(rates.kubelet);
    figures[`${kind} ratio`] = middle(ratios);
  }
  await kubectl(cluster, ['delete', 'pod', name, '-n', namespace, '--timeout=120s']);
  return figures;
}

const middle = (values: readonly number[]): number => median(values) ?? Number.NaN;

async function startPod({ cluster, namespace }: Place, pod: Pod): Promise<void> {
  await kubectl(cluster, ['apply', '-n', namespace, '-f', '-'], JSON.stringify(pod));
  const name = pod.metadata?.name ?? '';
  await kubectl(cluster, ['wait', '--for=condition=Ready', '--timeout=120s', '-n', namespace, `pod/${name}`]);
}

/** Ready when all of it is in the logs. */
function streamPod(name: string, mebibytes: number, nodeName?: string): Pod {
  const write = `yes "$(head -c 1023 /dev/zero | tr '\\0' x)" | head -c ${logMebibytes * 2 ** 20}; touch /tmp/written`;
  const send = `nc -ll -p ${port} -e ${['dd', 'if=/dev/zero', 'bs=64k', `count=${mebibytes * 16}`].join(' ')}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      ...(nodeName === undefined ? {} : { nodeName }),
      tolerations: [{ operator: 'Exists' }],
      terminationGracePeriodSeconds: 1,
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      containers: Array.from({ length: mebibytes / logMebibytes }, (_, index) => ({
        name: `c-${index}`,
        image: 'busybox',
        imagePullPolicy: 'IfNotPresent',
        command: ['sh', '-c', `${write}; exec ${index === 0 ? `${send} 2>/dev/null` : 'sleep 86400'}`],
        readinessProbe: { exec: { command: ['test', '-e', '/tmp/written'] }, periodSeconds: 1, timeoutSeconds: 10 },
      })),
    },
  };
}

/** From the start of kubectl, or from the connection, until everything has arrived. */
async function bytesPerSecond(kind: Kind, { cluster, namespace }: Place, pod: string, bytes: number): Promise<number> {
  const program: KubectlProgram = { path: cluster.kubectlPath, protocol: 'WebSocket' };
  if (kind === 'port-forward') {
    await using forward = await PortForward.start(cluster, program, { namespace, pod: `pod/${pod}`, ports: [port] });
    const began = performance.now();
    return rateOf(bytes, await count(await forward.open(port), bytes), began);
  }
  const args = {
    logs: ['logs', pod, '--all-containers', '--max-log-requests=64'],
    exec: ['exec', pod, '-c', 'c-0', '--', 'dd', 'if=/dev/zero', 'bs=64k', `count=${bytes / 2 ** 16}`],
  };
  const began = performance.now();
  const child = cluster.spawn(program.path, ['-n', namespace, ...args[kind]], {
    env: environmentOf(cluster, program),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const closed = once(child, 'close');
  const got = child.stdout === null ? 0 : await count(child.stdout, bytes);
  const rate = rateOf(bytes, got, began);
  await closed;
  return rate;
}

async function count(stream: NodeJS.ReadableStream, bytes: number): Promise<number> {
  let got = 0;
  for await (const chunk of stream) {
    got += chunk.length;
    if (got >= bytes) break;
  }
  return got;
}

function rateOf(wanted: number, got: number, began: number): number {
  if (got < wanted) throw new Error(`${got} bytes have arrived of ${wanted}`);
  return got / since(began);
}
