import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '@spillway/devcluster';
import { errorMessage, isAborted, type KubeClient, nameOf, type Pod, pods } from '@spillway/kube';
import { burstLabels, burstScheduler, burstTaint } from '../src/podspec/contract.ts';

/** Something that is observed until it is stopped, which answers what was seen. */
export type Recording<T> = () => Promise<T>;

/** Begins at once. `work` returns when the signal is aborted. */
export function recording<T>(seen: T, work: (signal: AbortSignal) => Promise<void>): Recording<T> {
  const ending = new AbortController();
  const done = work(ending.signal);
  // Whoever stops it is told.
  done.catch(() => undefined);
  return async () => {
    ending.abort();
    await done;
    return seen;
  };
}

const labels = ['none', 'enforce', 'auto'] as const;

/** One pod that was to be created. */
export interface Admitted {
  readonly label: (typeof labels)[number];
  readonly ms: number;
  /** Refused, or not treated as its label says. */
  readonly problem?: string | undefined;
}

const pauseMs = 100;
/** Without them a pool that bills by them runs no pod. */
const resources = { requests: { cpu: '250m', memory: '512Mi' } };

/** Creates a pod with each label, one after the other and all the time, as a dry run. `auto` needs an answer of the webhook. */
export function recordAdmission(client: KubeClient, namespace: string): Recording<readonly Admitted[]> {
  const seen: Admitted[] = [];
  return recording(seen, async (signal) => {
    for (let index = 0; !signal.aborted; index += 1) {
      const label = labels[index % labels.length] ?? 'none';
      const startedAt = performance.now();
      const problem = await client
        .resource(pods)
        .create(podToAdmit(namespace, label), { dryRun: true, retry: false })
        .then((pod) => mistreated(label, pod), errorMessage);
      seen.push({ label, ms: performance.now() - startedAt, problem });
      await delay(pauseMs);
    }
  });
}

function podToAdmit(namespace: string, label: Admitted['label']): Pod {
  return {
    metadata: { namespace, generateName: 'dry-', labels: label === 'none' ? {} : { [burstLabels[0]]: label } },
    spec: { containers: [{ name: 'main', image: 'swr.cn-north-4.myhuaweicloud.com/team/app:1', resources }] },
  };
}

function mistreated(label: Admitted['label'], { spec }: Pod): string | undefined {
  const isBound = spec?.schedulerName === burstScheduler;
  const tolerates = spec?.tolerations?.some(({ key }) => key === burstTaint.key) ?? false;
  const expected = { none: !isBound && !tolerates, enforce: isBound, auto: !isBound && tolerates };
  return expected[label] ? undefined : `treated otherwise: ${JSON.stringify(spec)}`;
}

/** Everything that happens to pods which exist now and are chosen, as "TYPE name version". */
export async function recordPods(
  client: KubeClient,
  scope: { readonly namespace?: string; readonly labelSelector?: string },
  isChosen: (pod: Pod) => boolean = () => true,
): Promise<Recording<readonly string[]>> {
  const { metadata } = await client.resource(pods).list(scope);
  let resourceVersion = metadata?.resourceVersion;
  const seen: string[] = [];
  return recording(seen, async (signal) => {
    while (!signal.aborted) {
      try {
        for await (const { type, object } of client.resource(pods).watch({ ...scope, resourceVersion, signal })) {
          resourceVersion = object.metadata?.resourceVersion;
          if (type !== 'BOOKMARK' && isChosen(object)) seen.push(`${type} ${nameOf(object)} ${resourceVersion}`);
        }
      } catch (error) {
        if (isAborted(error) || signal.aborted) return;
        throw error;
      }
    }
  });
}

/** What somebody has who follows a log in which each line is a number and a full stop. */
export interface FollowedLog {
  /** Each line once, in the order in which it came first. */
  readonly numbers: ReadonlySet<number>;
  /** How often the log was asked for. */
  readonly follows: number;
}

/**
 * Follows a pod's log as log collectors do: whenever the stream ends, it is asked for again from the time of the last line on. Such
 * times are whole seconds for kubectl, so that lines come again; their numbers tell them apart, and not their times.
 */
export function recordLog(
  { kubectlPath, kubeconfig }: Pick<Cluster, 'kubectlPath' | 'kubeconfig'>,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): { readonly seen: FollowedLog; readonly stop: Recording<void> } {
  const numbers = new Set<number>();
  const seen = { numbers, follows: 0 };
  const stop = recording(undefined, async (signal) => {
    for (let last: string | undefined; !signal.aborted; await delay(pauseMs)) {
      seen.follows += 1;
      const from = last === undefined ? ['--tail=1'] : [`--since-time=${last}`];
      const kubectl = spawn(kubectlPath, ['logs', name, '-n', namespace, '-f', '--timestamps', ...from], {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, KUBECONFIG: kubeconfig },
        signal,
      });
      const ended = once(kubectl, 'close');
      ended.catch(() => undefined);
      for await (const line of createInterface(kubectl.stdout)) {
        // Without the full stop a stream has ended in the middle of a line.
        const [, stamp, number] = /^(\S+) (\d+)\.$/.exec(line) ?? [];
        if (stamp === undefined) continue;
        numbers.add(Number(number));
        last = stamp;
      }
      await ended.catch(() => undefined);
    }
  });
  return { seen, stop };
}
