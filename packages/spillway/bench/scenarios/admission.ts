import type { Cluster } from '@spillway/devcluster';
import { type Pod, pods as podType } from '@spillway/kube';
import { setTimeout as sleep } from 'node:timers/promises';
import { burstLabels } from '../../src/podspec/contract.ts';
import { kubectl } from '../contestants/contestant.ts';
import { parseMetrics } from '../observe/prometheus.ts';
import { quantile } from '../observe/quantile.ts';
import type { Figure, Figures, Goal } from '../report/results.ts';
import { benchPod } from './burst.ts';
import type { Scenario, Turn } from './scenario.ts';

const milliseconds = { factor: 1000, decimals: 2 };
const warmUps = 100;
const kinds = ['plain', 'enforce', 'auto'] as const;
type Kind = (typeof kinds)[number];
const rules = [
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
] as const;

export const admission: Scenario = {
  name: 'admission',
  about: 'what the policies and webhooks of an installation add to the creation of a pod, one at a time, as dry runs',
  contestants: ['spillway'],
  pods: [1000],
  unit: 'creations',
  figures: [
    ...added('enforce', 'with enforce', { p99: [{ atMost: 5 }] }),
    ...added('auto', 'with auto', { p99: [{ atMost: 5 }] }),
    // Less than that cannot be told from what else the machine does.
    ...added('plain', 'without the label', { p50: [{ atMost: 0.1 }] }),
    { key: 'beforeP50Seconds', label: 'creation without Spillway, p50, ms', ...milliseconds },
    { key: 'beforeP99Seconds', label: 'creation without Spillway, p99, ms', ...milliseconds },
    { key: 'plainCalls', label: 'calls of webhooks, without the label', decimals: 0, goals: [{ atMost: 0 }] },
    { key: 'enforceCalls', label: 'calls of webhooks for each creation, enforce', decimals: 2 },
    { key: 'autoCalls', label: 'calls of webhooks for each creation, auto', decimals: 2 },
  ],
  measure,
};

function added(kind: Kind, what: string, goals: Partial<Record<'p50' | 'p99', readonly Goal[]>>): readonly Figure[] {
  return (['p50', 'p99'] as const).map((name) => ({
    key: `${kind}${name.toUpperCase()}Seconds`,
    label: `added ${what}, ${name}, ms`,
    ...milliseconds,
    ...(goals[name] && { goals: goals[name] }),
  }));
}

async function measure(turn: Turn): Promise<Figures> {
  const { cluster, pods } = turn;
  await removeRules(turn);
  const before = await createAll(turn, pods);
  await using _ = await turn.start({ advice: true });
  await rulesInForce(turn);
  const after = await createAll(turn, pods);
  const figures: Record<string, number> = {
    beforeP50Seconds: quantile(before.plain, 0.5),
    beforeP99Seconds: quantile(before.plain, 0.99),
  };
  for (const kind of kinds) {
    figures[`${kind}P50Seconds`] = quantile(after[kind], 0.5) - quantile(before[kind], 0.5);
    figures[`${kind}P99Seconds`] = quantile(after[kind], 0.99) - quantile(before[kind], 0.99);
    const first = await webhookCalls(cluster);
    for (let made = 0; made < warmUps; made += 1) await create(turn, kind);
    figures[`${kind}Calls`] = ((await webhookCalls(cluster)) - first) / warmUps;
  }
  return figures;
}

/** In turns, so that what else the machine does concerns all; in seconds, sorted. */
async function createAll(turn: Turn, count: number): Promise<Readonly<Record<Kind, readonly number[]>>> {
  const taken: Record<Kind, number[]> = { plain: [], enforce: [], auto: [] };
  for (let made = -warmUps; made < count; made += 1) {
    for (const kind of kinds) {
      const began = performance.now();
      await create(turn, kind);
      if (made >= 0) taken[kind].push((performance.now() - began) / 1000);
    }
  }
  for (const kind of kinds) taken[kind].sort((a, b) => a - b);
  return taken;
}

async function create({ client, namespace, signal }: Turn, kind: Kind): Promise<Pod> {
  const { spec, metadata } = benchPod({ name: 'admission', namespace, nodeName: '' });
  const pod = {
    metadata: { ...metadata, ...(kind === 'plain' ? {} : { labels: { [burstLabels[0]]: kind } }) },
    spec: { ...spec, tolerations: [] },
  };
  return await client.resource(podType).create<Pod>(pod as Pod, { dryRun: true, signal });
}

/** Those of a turn before. The API server takes some seconds until it goes without them. */
async function removeRules(turn: Turn): Promise<void> {
  await kubectl(turn.cluster, ['delete', rules.join(','), '--all', '--ignore-not-found']);
  while (isChanged(await create(turn, 'enforce'))) await sleep(200, undefined, { signal: turn.signal });
}

/** The policies are, when the contestant has started; the webhook is when it has been called. */
async function rulesInForce(turn: Turn): Promise<void> {
  const first = await webhookCalls(turn.cluster);
  do {
    if (!isChanged(await create(turn, 'enforce'))) throw new Error('pods with the label are not let in');
    await sleep(200, undefined, { signal: turn.signal });
  } while ((await webhookCalls(turn.cluster)) === first);
}

const isChanged = ({ spec }: Pod): boolean => spec?.schedulerName === 'spillway';

async function webhookCalls(cluster: Cluster): Promise<number> {
  const page = await kubectl(cluster, ['get', '--raw', '/metrics']);
  return parseMetrics(page, 'apiserver_admission_webhook_admission_duration_seconds_count').reduce(
    (sum, { value }) => sum + value,
    0,
  );
}
