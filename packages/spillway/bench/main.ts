import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { type Cluster, type Kwok, resolveKwok, startCluster } from '@spillway/devcluster';
import {
  errorMessage,
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
import { startBare } from './contestants/bare.ts';
import type { Contestant, ContestantName, SpillwaySettings } from './contestants/contestant.ts';
import { startKwok } from './contestants/kwok.ts';
import { startSpillway } from './contestants/spillway.ts';
import { type BenchOptions, parseOptions, usage } from './options.ts';
import type { Figures, Run } from './report/results.ts';
import { renderTables } from './report/table.ts';
import { inParallel } from './scenarios/burst.ts';
import { PodNames } from './scenarios/pod-names.ts';
import type { Scenario } from './scenarios/scenario.ts';

const namespace = 'bench';
const unlimited = { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 32 };

await runMain({ name: 'benchmark', usage, parseOptions, run: bench });

async function bench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const needsKwok =
    options.only.includes('kwok') && options.scenarios.some(({ contestants }) => contestants.includes('kwok'));
  const kwok = needsKwok ? await resolveKwok({ log: say, signal }) : undefined;
  const startedAt = new Date().toISOString();
  const startLoad = loadavg();
  const runs: Run[] = [];
  let kubernetes = '';
  for (const scenario of options.scenarios) {
    await using cluster = await startCluster({
      name: 'bench',
      node: false,
      ...scenario.cluster,
      log: (line) => {
        if (!signal.aborted) say(line);
      },
      signal,
    });
    kubernetes = cluster.kubernetesVersion;
    runs.push(...(await runScenario(scenario, { options, cluster, kwok, signal })));
  }
  if (options.json === undefined) return;
  const machine = {
    cpus: cpus().length,
    cpu: cpus()[0]?.model,
    memoryBytes: totalmem(),
    node: process.version,
    kubernetes,
    kwok: kwok?.version,
    load: { before: startLoad, after: loadavg() },
  };
  await writeFile(options.json, `${JSON.stringify({ startedAt, machine, runs }, undefined, 2)}\n`);
  say(`The results are in ${options.json}.`);
}

interface Setting {
  readonly options: BenchOptions;
  readonly cluster: Cluster;
  readonly kwok: Kwok | undefined;
  readonly signal: AbortSignal;
}

async function runScenario(scenario: Scenario, setting: Setting): Promise<readonly Run[]> {
  const { options, cluster, signal } = setting;
  await using client = new KubeClient({
    config: await loadKubeconfig({ paths: [cluster.kubeconfig] }),
    userAgent: 'spillway-bench',
    lanes: { default: unlimited },
  });
  await makeNamespace(client, signal);
  const names = new PodNames();
  const contestants = scenario.contestants.filter((name) => options.only.includes(name));
  const runs: Run[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (const pods of options.pods ?? scenario.pods) {
      // Whoever goes first in one round goes last in the next.
      for (const contestant of round % 2 === 1 ? contestants : contestants.toReversed()) {
        const start = (settings: SpillwaySettings = {}): Promise<Contestant> =>
          startContestant(contestant, pods, settings, setting);
        const result = await takeTurn(signal, () =>
          scenario.measure({ cluster, client, namespace, pods, names, start, signal }),
        );
        const run: Run = { scenario: scenario.name, contestant, pods, round, ...result };
        runs.push(run);
        say(`${scenario.name}, round ${round}, ${pods} pods, ${contestant}: ${outcomeOf(run, scenario)}`);
        if (!('failure' in run)) continue;
        process.exitCode = 1;
        await removePods(client, signal);
      }
    }
  }
  process.stdout.write(`\n${renderTables(runs, contestants, scenario.figures)}`);
  return runs;
}

/** What went wrong in a turn is the contestant's failure and part of the results; only an interruption ends the run. */
async function takeTurn(
  signal: AbortSignal,
  measure: () => Promise<Figures>,
): Promise<{ readonly figures: Figures } | { readonly failure: string }> {
  try {
    return { figures: await measure() };
  } catch (error) {
    signal.throwIfAborted();
    return { failure: errorMessage(error) };
  }
}

function outcomeOf(run: Run, { figures: [first] }: Scenario): string {
  if ('failure' in run) return `failed: ${run.failure}`;
  if (first === undefined) return 'done';
  const { key, label, decimals, factor = 1 } = first;
  return `${((run.figures[key] ?? Number.NaN) * factor).toFixed(decimals)} ${label}`;
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

function startContestant(
  name: ContestantName,
  pods: number,
  settings: SpillwaySettings,
  { cluster, kwok, options }: Setting,
): Promise<Contestant> {
  if (name === 'bare') return startBare(cluster);
  if (name === 'spillway') {
    return startSpillway({ cluster, maxPods: Math.max(2 * pods, 1000), profile: options.profile, settings });
  }
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
