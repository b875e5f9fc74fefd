import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
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
import { bundleProduct, type Product } from './contestants/product.ts';
import { startKwok } from './contestants/kwok.ts';
import { startSpillway } from './contestants/spillway.ts';
import { startVirtualKubelet } from './contestants/virtual-kubelet.ts';
import { type BenchOptions, parseOptions, usage } from './options.ts';
import { plotsOf } from './report/plots.ts';
import { Record } from './report/record.ts';
import { type Figures, merged, type Results, type Run } from './report/results.ts';
import { renderGoals, renderTables } from './report/table.ts';
import { inParallel } from './scenarios/burst.ts';
import { PodNames } from './scenarios/pod-names.ts';
import type { Scenario } from './scenarios/scenario.ts';

const namespace = 'bench';
const unlimited = { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 32 };

await runMain({ name: 'benchmark', usage, parseOptions, run: bench });

async function bench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  if (options.from.length > 0) {
    const files = await Promise.all(options.from.map(readResults));
    await show(merged(files), options);
    return;
  }
  const needsKwok =
    options.only.includes('kwok') && options.scenarios.some(({ contestants }) => contestants.includes('kwok'));
  const kwok = needsKwok ? await resolveKwok({ log: say, signal }) : undefined;
  say('Spillway is bundled, as for its image.');
  await using product = await bundleProduct();
  const record = new Record(options, kwok?.version);
  try {
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
      record.kubernetes = cluster.kubernetesVersion;
      await runScenario(scenario, { options, cluster, kwok, product, record, signal });
    }
  } finally {
    if (record.runs.length > 0) await show(record.results, options);
  }
  if (options.json !== undefined) say(`The results are in ${options.json}.`);
}

async function readResults(file: string): Promise<Results> {
  return JSON.parse(await readFile(file, 'utf8'));
}

async function show(results: Pick<Results, 'scenarios' | 'runs'>, { plots }: BenchOptions): Promise<void> {
  const { scenarios, runs } = results;
  const tables = [...scenarios.map((scenario) => renderTables(runs, scenario)), renderGoals(runs, scenarios)];
  for (const table of tables) if (table !== '') process.stdout.write(`\n${table}`);
  if (plots === undefined) return;
  await mkdir(plots, { recursive: true });
  for (const [name, svg] of plotsOf(results)) {
    const file = path.join(plots, name);
    await writeFile(file, svg);
    say(`There is a plot in ${file}.`);
  }
}

interface Setting {
  readonly options: BenchOptions;
  readonly cluster: Cluster;
  readonly kwok: Kwok | undefined;
  readonly product: Product;
  readonly record: Record;
  readonly signal: AbortSignal;
}

async function runScenario(scenario: Scenario, setting: Setting): Promise<void> {
  const { options, cluster, product, record, signal } = setting;
  await using client = new KubeClient({
    config: await loadKubeconfig({ paths: [cluster.kubeconfig] }),
    userAgent: 'spillway-bench',
    lanes: { default: unlimited },
  });
  await makeNamespace(client, signal);
  const names = new PodNames();
  const contestants = scenario.contestants.filter((name) => options.only.includes(name));
  const sizes = scenario.unit === undefined ? (options.pods ?? scenario.pods) : scenario.pods;
  let begun = 0;
  for (let round = 1; round <= options.rounds; round++) {
    for (const pods of sizes) {
      // Whoever goes first in one round goes last in the next.
      for (const contestant of round % 2 === 1 ? contestants : contestants.toReversed()) {
        begun += 1;
        const what = `${scenario.name}, round ${round}, ${pods} ${scenario.unit ?? 'pods'}, ${contestant}`;
        say(`${what}: turn ${begun} of ${options.rounds * sizes.length * contestants.length}`);
        const start = (settings: SpillwaySettings = {}): Promise<Contestant> =>
          startContestant(contestant, pods, settings, setting);
        const turn = { cluster, client, namespace, pods, names, product, start, signal };
        const startedAt = new Date();
        const result = await takeTurn(signal, () => scenario.measure(turn));
        const run: Run = { scenario: scenario.name, contestant, pods, round, ...result };
        await record.add(run, startedAt);
        say(`${what}: ${outcomeOf(run, scenario)}`);
        if (!('failure' in run)) continue;
        process.exitCode = 1;
        await removePods(client, signal);
      }
    }
  }
}

/** What went wrong in a turn is the contestant's failure and part of the results; only an interruption ends the run. */
async function takeTurn(
  signal: AbortSignal,
  measure: () => Promise<Figures>,
): Promise<{ readonly figures: Figures } | { readonly failure: string }> {
  try {
    const figures = await measure();
    signal.throwIfAborted();
    return { figures };
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
  { cluster, kwok, product, options }: Setting,
): Promise<Contestant> {
  if (name === 'bare') return startBare(cluster);
  if (name === 'virtual-kubelet') return startVirtualKubelet(cluster);
  if (name === 'spillway') {
    return startSpillway({ cluster, pods, product, profile: options.profile, settings });
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
