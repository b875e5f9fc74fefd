import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { type Cluster, type Kwok, resolveKwok, startCluster } from '@spillway/devcluster';
import {
  isNotFound,
  KubeClient,
  loadKubeconfig,
  nameOf,
  namespaces,
  pods as podType,
  serviceAccounts,
} from '@spillway/kube';
import { setTimeout as sleep } from 'node:timers/promises';
import { runMain, say } from '../testkit/main-program.ts';
import { inParallel } from './burst.ts';
import type { Contestant } from './contestant.ts';
import { startKwok } from './kwok.ts';
import { measure } from './measure.ts';
import { type BenchOptions, type ContestantName, parseOptions, usage } from './options.ts';
import { measurePlacement } from './placement.ts';
import { renderPlacement } from './placement-table.ts';
import { PodNames } from './pod-names.ts';
import type { PlacementResult, Run } from './results.ts';
import { startSpillway } from './spillway.ts';
import { renderTables } from './table.ts';
import { takeTurn } from './turn.ts';

const namespace = 'bench';
const unlimited = { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 32 };

await runMain({ name: 'benchmark', usage, parseOptions, run: bench });

async function bench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const needsKwok = options.scenario === 'lifecycle' && options.only.includes('kwok');
  const kwok = needsKwok ? await resolveKwok({ log: say, signal }) : undefined;
  await using cluster = await startCluster({
    name: 'bench',
    node: false,
    // The full node of the placement scenario has no heartbeat.
    extraArgs:
      options.scenario === 'placement' ? { 'kube-controller-manager': ['--node-monitor-grace-period=24h'] } : {},
    log: (line) => {
      if (!signal.aborted) say(line);
    },
    signal,
  });
  await using client = new KubeClient({
    config: await loadKubeconfig({ paths: [cluster.kubeconfig] }),
    userAgent: 'spillway-bench',
    lanes: { default: unlimited, binding: unlimited },
  });
  await makeNamespace(client, signal);

  const startedAt = new Date().toISOString();
  const startLoad = loadavg();
  const parts: Parts = { cluster, client, kwok, names: new PodNames(), signal };
  const results =
    options.scenario === 'placement' ? await benchPlacement(options, parts) : await benchLifecycle(options, parts);
  if (options.json === undefined) return;
  const { gitVersion } = await client.request<{ gitVersion: string }>({ method: 'GET', path: '/version' });
  const machine = {
    cpus: cpus().length,
    cpu: cpus()[0]?.model,
    memoryBytes: totalmem(),
    node: process.version,
    kubernetes: gitVersion,
    kwok: kwok?.version,
    load: { before: startLoad, after: loadavg() },
  };
  await writeFile(options.json, `${JSON.stringify({ startedAt, machine, runs: results }, undefined, 2)}\n`);
  say(`The results are in ${options.json}.`);
}

interface Parts {
  readonly cluster: Cluster;
  readonly client: KubeClient;
  readonly kwok: Kwok | undefined;
  readonly names: PodNames;
  readonly signal: AbortSignal;
}

async function benchLifecycle(options: BenchOptions, parts: Parts): Promise<readonly Run[]> {
  const { cluster, client, kwok, names, signal } = parts;
  const runs: Run[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (const pods of options.pods) {
      // Whoever goes first in one round goes last in the next.
      const order = round % 2 === 1 ? options.only : options.only.toReversed();
      for (const name of order) {
        const run = await takeTurn({ contestant: name, pods, round }, signal, async () => {
          await using contestant = await start(name, cluster, options, kwok);
          return await measure({ cluster, client, contestant, namespace, pods, names, signal });
        });
        runs.push(run);
        say(`round ${round}, ${pods} pods, ${name}: ${outcomeOf(run)}`);
        if (!('failure' in run)) continue;
        process.exitCode = 1;
        await removePods(client, signal);
      }
    }
  }
  process.stdout.write(`\n${renderTables(runs, options.only)}`);
  return runs;
}

function outcomeOf(run: Run): string {
  if ('failure' in run) return `failed: ${run.failure}`;
  const { runningPerSecond, deletedPerSecond } = run.measurement;
  return `${runningPerSecond.toFixed(1)} pods/s to Ready, ${deletedPerSecond.toFixed(1)} deleted/s`;
}

/** What a contestant that failed has left, with nobody there who would end it. */
async function removePods(client: KubeClient, signal: AbortSignal): Promise<void> {
  const resource = client.resource(podType);
  const { items } = await resource.list({ namespace, signal });
  await inParallel(items.map(nameOf), signal, async (name) => {
    try {
      await resource.delete({ namespace, name }, { gracePeriodSeconds: 0, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  });
}

async function benchPlacement(options: BenchOptions, parts: Parts): Promise<readonly PlacementResult[]> {
  const { cluster, client, names, signal } = parts;
  const results: PlacementResult[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (const pods of options.pods) {
      const contestant = (): Promise<Contestant> => start('spillway', cluster, options, undefined);
      results.push(...(await measurePlacement({ client, contestant, namespace, pods, names, signal })));
      say(`round ${round}, ${pods} pods each: done`);
    }
  }
  process.stdout.write(`\n${renderPlacement(results)}`);
  return results;
}

function start(
  name: ContestantName,
  cluster: Cluster,
  { pods, profile }: BenchOptions,
  kwok: Kwok | undefined,
): Promise<Contestant> {
  if (name === 'spillway') return startSpillway({ cluster, maxPods: 2 * Math.max(...pods, 1000), profile });
  if (kwok === undefined) throw new Error('kwok is not there');
  return startKwok(cluster, kwok);
}

async function makeNamespace(client: KubeClient, signal: AbortSignal): Promise<void> {
  await client
    .resource(namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { signal });
  // Pods are refused before it has its default service account.
  for (;;) {
    const { items } = await client.resource(serviceAccounts).list({ namespace, signal });
    if (items.length > 0) return;
    await sleep(50, undefined, { signal });
  }
}
