import { ApiError, type Clock, errorMessage, type KubeClient, type KubeObject } from '@spillway/kube';
import type { Config } from '../config/config.ts';
import { leaderOf } from '../addon/installation/leader-of.ts';
import { applyObjects, type Before, deleteObjects, type Plan, restoreObjects } from './apply.ts';
import type { Change } from './changes.ts';
import { lastWords, readRollout } from './read.ts';
import { type RolloutView, rolloutVerdict } from './rollout.ts';

export interface InstallOptions {
  readonly client: KubeClient;
  readonly config: Config;
  readonly namespace: string;
  readonly image: string;
  /** In the order in which they are applied. */
  readonly objects: readonly KubeObject[];
  readonly plan: Plan;
  /** The configuration that is installed now, if one is. */
  readonly configBefore: Config | undefined;
  /** False: whoever asks looks by themselves whether it becomes ready. */
  readonly wait: boolean;
  readonly timeoutMs: number;
  readonly tell: (line: string) => void;
  readonly clock: Clock;
}

/** What has become of an installation. */
export interface InstallReport {
  readonly installation: string;
  readonly namespace: string;
  readonly image: string;
  /** `applied`: nobody has waited for it; `rolledBack`: as it was before; `notReady`: it is as it should be, and does not get ready. */
  readonly result: 'ready' | 'applied' | 'rolledBack' | 'notReady';
  readonly changes: readonly Change[];
  readonly pools: readonly { readonly name: string; readonly node: string; readonly leader: string | undefined }[];
  /** Why it did not become ready. */
  readonly why?: string | undefined;
}

/**
 * Brings the cluster to what is wanted, from whatever is there. An installation that was ready before and does not become ready again
 * is restored. Can be interrupted anywhere: another run completes it.
 */
export async function install(options: InstallOptions, signal: AbortSignal): Promise<InstallReport> {
  const { client, config, configBefore, namespace, objects, plan, wait, tell } = options;
  const wasReady = configBefore !== undefined && (await isReadyNow(options, configBefore, signal));
  const befores: Before[] = [];
  tell(plan.changes.length === 0 ? 'Nothing has to change' : `Applying ${objects.length} objects`);
  try {
    await applyObjects(client, objects, (before) => befores.push(before), signal);
    const view = await readRollout(client, config, namespace, signal);
    // What is no longer part of it stays until it is ready.
    if (!wait) return report({ ...options, plan: withoutRemovals(plan) }, 'applied', view);
    const outcome = await becomeReady(options, config, signal);
    if (outcome.why === undefined) {
      if (plan.outdated.length > 0) tell(`Removing ${plan.outdated.length} objects that are no longer part of it`);
      await deleteObjects(client, plan.outdated, signal);
      return report(options, 'ready', outcome.view);
    }
    if (!wasReady || plan.changes.length === 0) return report(options, 'notReady', outcome.view, outcome.why);
    tell(`It does not become ready: ${outcome.why}`);
    return await rollBack(options, configBefore, befores, outcome.why, signal);
  } catch (error) {
    // Half of it: what was ready is to stay so.
    if (!wasReady || signal.aborted || !(error instanceof ApiError)) throw error;
    tell(`It cannot be applied: ${errorMessage(error)}`);
    return await rollBack(options, configBefore, befores, errorMessage(error), signal);
  }
}

const withoutRemovals = (plan: Plan): Plan => ({
  ...plan,
  changes: plan.changes.filter(({ change }) => change !== 'removed'),
});

async function rollBack(
  options: InstallOptions,
  before: Config,
  befores: readonly Before[],
  why: string,
  signal: AbortSignal,
): Promise<InstallReport> {
  const { client, tell } = options;
  tell('Rolling back');
  await restoreObjects(client, befores, signal);
  const outcome = await becomeReady(options, before, signal);
  return outcome.why === undefined
    ? report(options, 'rolledBack', outcome.view, why)
    : report(options, 'notReady', outcome.view, `${why}. After the rollback: ${outcome.why}`);
}

async function isReadyNow(
  { client, namespace }: InstallOptions,
  config: Config,
  signal: AbortSignal,
): Promise<boolean> {
  return rolloutVerdict(await readRollout(client, config, namespace, signal)).kind === 'ready';
}

interface Outcome {
  readonly view: RolloutView;
  /** Absent: it is ready. */
  readonly why?: string | undefined;
}

const lookMs = 1000;
const wordMs = 10_000;

/** Tells what it waits for whenever that changes, but not every second. */
async function becomeReady(options: InstallOptions, config: Config, signal: AbortSignal): Promise<Outcome> {
  const { client, namespace, timeoutMs, clock, tell } = options;
  const deadlineMs = clock.now() + timeoutMs;
  let told = '';
  let toldMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    const view = await readRollout(client, config, namespace, signal);
    const verdict = rolloutVerdict(view);
    if (verdict.kind === 'ready') return { view };
    if (verdict.kind === 'failed') {
      const words = await lastWords(client, namespace, verdict.pod, signal);
      return { view, why: [verdict.reason, ...words.map((line) => `  ${line}`)].join('\n') };
    }
    const waitsFor = verdict.reasons.join('; ');
    if (clock.now() >= deadlineMs) return { view, why: `not within ${timeoutMs / 1000} s (--timeout): ${waitsFor}` };
    if (waitsFor !== told && clock.now() - toldMs >= (told === '' ? 0 : wordMs)) {
      tell(`Waiting: ${waitsFor}`);
      told = waitsFor;
      toldMs = clock.now();
    }
    await clock.sleep(lookMs, signal);
    signal.throwIfAborted();
  }
}

function report(
  { config, namespace, image, plan }: InstallOptions,
  result: InstallReport['result'],
  { pools }: RolloutView,
  why?: string,
): InstallReport {
  return {
    installation: config.name,
    namespace,
    image,
    result,
    changes: plan.changes,
    pools: pools.map(({ name, nodeName, lease }) => ({ name, node: nodeName, leader: leaderOf(lease) })),
    why,
  };
}
