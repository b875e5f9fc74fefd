import type { Clock } from '@spillway/kube';
import type { Survey, Trace } from '../backends/survey.ts';
import type { PoolConfig } from '../config/config.ts';
import { dismantlePool, endInstances, viewPool } from './clear-pool.ts';
import { persist, type Persistence, reasonOf } from './persist.ts';
import { type Found, foundInPool } from './plan.ts';
import { type Item, type Left, withoutRemains } from './report.ts';

export interface SurveyedPlace {
  readonly survey: Survey;
  /** One of the pools that lead there. */
  readonly pool: PoolConfig;
}

export interface Leak extends Trace {
  readonly place: string;
  /** `yes`: of the cluster that answers. `unknown`: of another, which may live or not. */
  readonly living: 'yes' | 'unknown';
}

export interface LeaksReport {
  readonly leaks: readonly Leak[];
  /** Where not everything could be looked at, and why. */
  readonly unseen: readonly string[];
  readonly removed: readonly Item[];
  readonly remains: readonly Left[];
  readonly others: readonly Left[];
}

/** What clusters have with the providers, the one that answers first. @param livingId undefined: no cluster answers */
export async function findLeaks(
  places: readonly SurveyedPlace[],
  livingId: string | undefined,
  signal: AbortSignal,
): Promise<Pick<LeaksReport, 'leaks' | 'unseen'>> {
  const leaks: Leak[] = [];
  const unseen: string[] = [];
  for (const { survey } of places) {
    const { place } = survey;
    try {
      const sighting = await survey.look(signal);
      if (sighting.unseen !== undefined) unseen.push(`${place}: ${sighting.unseen}`);
      for (const trace of sighting.traces) {
        leaks.push({ ...trace, place, living: trace.clusterId === livingId ? 'yes' : 'unknown' });
      }
    } catch (error) {
      signal.throwIfAborted();
      unseen.push(`${place}: ${reasonOf(error)}`);
    }
  }
  return { leaks, unseen };
}

export interface RemoveLeaksOptions {
  readonly graceSeconds: number | undefined;
  readonly timeoutMs: number;
  readonly tell: (line: string) => void;
  readonly clock: Clock;
}

/** Removes what these clusters have, and nothing of any other. */
export async function removeLeaks(
  places: readonly SurveyedPlace[],
  leaks: readonly Leak[],
  { timeoutMs, ...more }: RemoveLeaksOptions,
  signal: AbortSignal,
): Promise<Pick<LeaksReport, 'removed' | 'remains' | 'others'>> {
  const working = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const removed: Item[] = [];
  const remains: Left[] = [];
  const others: Left[] = [];
  const context = { ...more, removed: (items: readonly Item[]) => removed.push(...items) };
  for (const leak of leaks) {
    const at = places.find(({ survey }) => survey.place === leak.place);
    if (at === undefined) continue;
    const { survey, pool } = at;
    if (leak.by === 'add-on') {
      const left = await endAddOn(at, leak, context, working);
      signal.throwIfAborted();
      remains.push(...left);
      continue;
    }
    // A namespace in which nothing is any more is that of every virtual node of its cluster.
    const nodes = leak.nodes.length > 0 ? leak.nodes : [pool.nodeName];
    const owners = nodes.map((nodeName) => ({
      config: { ...pool, nodeName },
      backend: survey.open({ clusterId: leak.clusterId, nodeName }, leak.namespace),
    }));
    const after: Found[] = [];
    try {
      for (const owner of owners) await endInstances(owner, context, working);
      for (const owner of owners) await dismantlePool(owner, context, working);
    } catch (error) {
      signal.throwIfAborted();
      if (!working.aborted) throw error;
    } finally {
      for (const owner of owners) {
        if (!signal.aborted) after.push(foundInPool(await viewPool(owner, signal)));
        await owner.backend.close();
      }
    }
    // What one virtual node leaves to another is the last one's to tell.
    const found = after.at(-1);
    remains.push(
      ...after.flatMap(({ ours }) => ours.map((item) => ({ ...item, why: 'it is still there' }))),
      ...(found?.stays ?? []),
    );
    others.push(...(found?.others ?? []));
  }
  return { removed: withoutRemains(removed, remains), remains, others };
}

/** Its instances are marked; what else it has made in its namespace is not, so that nothing of that is guessed. */
async function endAddOn(
  { survey, pool: { name: pool } }: SurveyedPlace,
  { namespace, instances }: Leak,
  context: Persistence & { readonly removed: (items: readonly Item[]) => void },
  signal: AbortSignal,
): Promise<readonly Left[]> {
  const remains: Left[] = [];
  for (const instance of instances) {
    const item = { pool, kind: 'Instance', namespace, name: instance.name };
    try {
      await persist(`Pool ${pool}`, () => survey.end(namespace, instance, signal), context, signal);
      context.removed([item]);
    } catch (error) {
      remains.push({ ...item, why: reasonOf(error) });
    }
  }
  const why = 'it is of the vendor’s add-on, whose objects Spillway cannot tell from those of others';
  const remedy =
    'If its cluster no longer exists, unbind the storage of the namespace in the console of CCI, and then delete the namespace there: file systems that are bound in it may be deleted with it';
  return [...remains, { pool, kind: 'Namespace', name: namespace, why, remedy }];
}
