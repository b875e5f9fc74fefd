import { spawn } from 'node:child_process';
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

/** The lines of a pod's log, followed by kubectl again and again from the time of the last one. A line that came twice is there twice. */
export function recordLog(
  { kubectlPath, kubeconfig }: Pick<Cluster, 'kubectlPath' | 'kubeconfig'>,
  namespace: string,
  name: string,
): Recording<{ readonly lines: readonly string[]; readonly follows: number }> {
  const lines: string[] = [];
  const seen = { lines, follows: 0 };
  return recording(seen, async (signal) => {
    let last = '';
    while (!signal.aborted) {
      seen.follows += 1;
      const since = last === '' ? [] : [`--since-time=${last}`];
      const args = ['logs', name, '-n', namespace, '-f', '--timestamps', ...since];
      const child = spawn(kubectlPath, args, {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, KUBECONFIG: kubeconfig },
      });
      const stop = (): void => void child.kill();
      signal.addEventListener('abort', stop, { once: true });
      for await (const line of createInterface(child.stdout)) {
        const [stamp = '', text] = line.split(/ (.*)/);
        // kubectl asks in whole seconds, so that a follower leaves out what it has.
        if (text === undefined || stamp <= last) continue;
        lines.push(text);
        last = stamp;
      }
      signal.removeEventListener('abort', stop);
      if (!signal.aborted) await delay(pauseMs);
    }
  });
}
