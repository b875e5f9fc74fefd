import path from 'node:path';
import type { Cluster } from '@spillway/devcluster';
import { Testbed } from '../../testkit/testbed.ts';
import type { Product } from './product.ts';
import { askByLog, type Contestant, kubectl, type SpillwaySettings } from './contestant.ts';
import { parseMetrics, type Sample } from '../observe/prometheus.ts';

const collector = path.join(import.meta.dirname, 'collect-garbage.ts');

export interface SpillwayOptions {
  readonly cluster: Cluster;
  readonly pods: number;
  readonly product: Product;
  readonly profile: string | undefined;
  readonly settings: SpillwaySettings;
}

/** Starts `spillway serve` of the image on the `simulated` backend, without delays of its own, as KWOK's fast stages have none. */
export async function startSpillway({
  cluster,
  pods,
  product,
  profile,
  settings,
}: SpillwayOptions): Promise<Contestant> {
  const testbed = await Testbed.create({
    cluster,
    backend: 'simulated',
    nodeName: 'bench-spillway',
    maxPods: Math.max(2 * pods, 1000),
    simulated: { startDelayMs: 0, stopDelayMs: 0 },
    ...settings,
    program: product.arguments(pods),
    nodeArguments: [
      `--import=${collector}`,
      ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profile)}`]),
    ],
  });
  await using started = new AsyncDisposableStack();
  const { nodeName } = testbed;
  started.defer(async () => {
    await testbed.stop();
    await kubectl(cluster, ['delete', 'node', nodeName, '--ignore-not-found']);
  });
  await testbed.start();
  const { pid } = testbed;
  if (pid === undefined) throw new Error('spillway serve has no process');
  const running = started.move();
  return {
    nodeName,
    pid,
    ended: testbed.ended,
    stallSeconds: async () => sum(await samples(testbed, 'nodejs_eventloop_lag_max_seconds')),
    inside: {
      heapAfterCollection: () => askByLog(pid, testbed.logFile, 'heapAfterCollection'),
      total: async (metric, labels = {}) =>
        sum(
          (await samples(testbed, metric)).filter((sample) =>
            Object.entries(labels).every(([name, value]) => sample.labels[name] === value),
          ),
        ),
      restart: async () => {
        await testbed.stop('SIGKILL');
        await testbed.start();
        if (testbed.pid === undefined) throw new Error('spillway serve has no process');
        return testbed.pid;
      },
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function samples({ cluster, nodeName }: Testbed, metric: string): Promise<readonly Sample[]> {
  const page = await kubectl(cluster, ['get', '--raw', `/api/v1/nodes/${nodeName}/proxy/metrics`]);
  if (!page.includes(`# TYPE ${metric} `)) throw new Error(`spillway serve has no metric ${metric}`);
  return parseMetrics(page, metric);
}

const sum = (all: readonly Sample[]): number => all.reduce((total, { value }) => total + value, 0);
