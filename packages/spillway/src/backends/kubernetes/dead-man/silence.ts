import { type ConfigMap, isNotFound, nameOf, type Pod, uidOf } from '@spillway/kube';
import type { EndedInSilence } from '../../backend.ts';
import type { HeartbeatReading, Silence, SilentInstance } from '../../survey.ts';
import type { Dialect } from '../dialect.ts';
import { deleting } from '../lanes.ts';
import { collected } from '../patiently.ts';
import { isDeadMan, markedRef, podSelector } from '../pods/marks.ts';
import { deadManName } from '../pods/names.ts';
import { observe } from '../pods/observe.ts';
import { deletePod, letGo } from '../pods/removal.ts';
import { datedHeartbeat, type HeartbeatPlace } from './dated-heartbeat.ts';
import { noteOf, readHeartbeat } from './heartbeat-object.ts';

export interface SilenceOptions {
  readonly connect: () => Promise<HeartbeatPlace>;
  readonly dialect: Pick<Dialect, 'types' | 'finalizer'>;
  /** As an error of a backend. @param doing completes "could not …" */
  readonly toError: (error: unknown, doing: string) => Error;
}

/** A virtual node that may have fallen silent, seen from a cluster in which its pods are. */
export function silenceIn({ connect, dialect, toError }: SilenceOptions): Silence {
  const work = async <T>(doing: string, does: (place: HeartbeatPlace) => Promise<T>): Promise<T> => {
    try {
      return await does(await connect());
    } catch (error) {
      throw toError(error, doing);
    }
  };
  /** As they were listed last. */
  const pods = new Map<string, Pod>();
  return {
    heartbeat: (signal) => work('read the heartbeat', (place) => heartbeatIn(place, signal)),
    instances: (signal) =>
      work('list pods', async ({ client, namespace, owner }) => {
        const pages = (): ReturnType<ReturnType<typeof client.resource<Pod>>['pages']> =>
          client
            .resource(dialect.types.pods)
            .pages({ namespace, labelSelector: podSelector(owner), signal, lane: deleting });
        const found: SilentInstance[] = [];
        pods.clear();
        for (const pod of await collected(pages, signal)) {
          const ref = markedRef(pod, owner);
          if (ref === undefined) continue;
          pods.set(uidOf(pod), pod);
          found.push({
            name: nameOf(pod),
            uid: uidOf(pod),
            pod: { namespace: ref.namespace, name: ref.name },
            createdMs: Date.parse(pod.metadata?.creationTimestamp ?? ''),
            ended: observe(ref, pod).state === 'ended',
          });
        }
        return found;
      }),
    end: ({ uid, name, ended }, gracePeriodSeconds, signal) =>
      work(`end pod ${name}`, async ({ client }) => {
        const pod = pods.get(uid);
        if (pod === undefined) return;
        const resource = client.resource(dialect.types.pods);
        // Nobody is there to read how it ended, so that the finalizer goes first: it may be the last that there is to be done.
        if (ended || gracePeriodSeconds === 0) await letGo(pod, { pods: resource, dialect }, signal);
        await deletePod(resource, pod, { gracePeriodSeconds, signal });
      }),
    note: (ended, signal) => work('note it on the heartbeat', (place) => noteIn(place, ended, signal)),
  };
}

async function heartbeatIn(place: HeartbeatPlace, signal: AbortSignal): Promise<HeartbeatReading> {
  const { nowMs, object } = await datedHeartbeat(place, signal);
  const heartbeat = object && isDeadMan(object, place.owner) ? readHeartbeat(object) : undefined;
  return { nowMs, ...(heartbeat && { heartbeat }) };
}

async function noteIn(
  { client, configMaps, namespace, owner }: HeartbeatPlace,
  ended: EndedInSilence,
  signal: AbortSignal,
): Promise<void> {
  const patch = { type: 'merge', body: { data: noteOf(ended) } } as const;
  try {
    await client.resource<ConfigMap>(configMaps).patch({ namespace, name: deadManName(owner) }, patch, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
