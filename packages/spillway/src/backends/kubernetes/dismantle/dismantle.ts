import {
  ApiError,
  isConflict,
  isForbidden,
  isNotFound,
  type KubeClient,
  type KubeObject,
  nameOf,
  refOf,
  type ResourceType,
  uidOf,
} from '@spillway/kube';
import type { BackendObject, Dismantled, DismantleOptions, Owner, Remainder } from '../../backend.ts';
import type { CopyKeeper, EveryCopy } from '../copies/copy-keeper.ts';
import type { DeadManSwitch, TakenAway } from '../dead-man/dead-man-switch.ts';
import { deleting, reading } from '../lanes.ts';
import { collected, patiently } from '../patiently.ts';
import type { Instances } from '../pods/instances.ts';
import { markedRef } from '../pods/marks.ts';
import type { Home } from './home.ts';
import { type Judgement, judge, remainder } from './judge.ts';

export interface DismantleContext {
  readonly client: KubeClient;
  readonly instances: Pick<Instances, 'pods'>;
  readonly copies: Pick<CopyKeeper, 'every'>;
  readonly deadMan: Pick<DeadManSwitch, 'dismantle'>;
  readonly home: Home;
  readonly owner: Owner;
  readonly namespace: string;
  /** Takes away logins that no pod uses. True: with the last of them went what they were in. */
  readonly forgetLogins: ((client: KubeClient, signal: AbortSignal) => Promise<BackendObject | undefined>) | undefined;
}

const nothing: Dismantled = { removed: [], remains: [], others: [] };

/** See `Backend.dismantle`. */
export async function dismantle(
  context: DismantleContext,
  { dryRun = false }: DismantleOptions,
  signal: AbortSignal,
): Promise<Dismantled> {
  const { client, instances, copies, deadMan, home, owner, namespace, forgetLogins } = context;
  const whole = { kind: 'Namespace', name: namespace };
  const found = await findNamespace(context, signal);
  if (found === 'gone') return nothing;
  if (found === 'hidden') {
    return {
      ...nothing,
      others: [{ ...whole, why: 'these credentials may not see it, so it is not of this account' }],
    };
  }
  if (found.metadata?.deletionTimestamp !== undefined) {
    return { ...nothing, remains: [{ ...whole, why: 'is being deleted', ending: true }] };
  }
  const pods = await patiently(() => instances.pods({ signal, lane: reading }), signal);
  if (pods.length > 0 && !dryRun) {
    const remains = pods.map((pod) => {
      const { namespace: from = '', name = '' } = markedRef(pod, owner) ?? {};
      return remainder(pod, `the instance of pod ${from}/${name} is still there`);
    });
    return { ...nothing, remains };
  }
  const every = await patiently(() => copies.every(signal), signal);
  if (!dryRun) await Promise.all(every.map((copy) => patiently(() => copy.remove(signal), signal)));
  const login = dryRun || !forgetLogins ? undefined : await patiently(() => forgetLogins(client, signal), signal);
  const taken = await deadMan.dismantle(dryRun, signal);
  const { objects, unseen } = await allIn(context, await home.kinds(client, signal), signal);
  const left = objects.filter((object) => !dryRun || !isOf(object, pods, every, taken));
  const copyUids = new Set(every.map(({ copy }) => uidOf(copy)));
  const judgement = judge({ namespace: found, objects: left, copies: copyUids, unseen }, owner, home);
  const removed = every.map(({ kind, copy }) => ({ kind, namespace, name: nameOf(copy) }));
  return {
    removed: [
      ...removed,
      ...(login === undefined ? [] : [login]),
      ...taken.map(({ kind, name }) => ({ kind, namespace, name })),
      ...(await proceed(context, found, judgement, dryRun, signal)),
    ],
    remains: [...judgement.ending, ...(judgement.keeps ? [judgement.keeps, ...keptWithIt(judgement)] : [])],
    others: judgement.others,
  };
}

const keptWithIt = ({ prepared }: Judgement): Remainder[] =>
  prepared.map((object) => remainder(object, 'it goes with its namespace'));

function isOf(
  object: KubeObject,
  pods: readonly KubeObject[],
  every: readonly EveryCopy[],
  taken: readonly TakenAway[],
): boolean {
  const uid = uidOf(object);
  return (
    taken.some((each) => each.uid === uid) ||
    pods.some((pod) => uidOf(pod) === uid) ||
    every.some(({ copy }) => uidOf(copy) === uid)
  );
}

/** What it has removed, or would. */
async function proceed(
  { client, home }: DismantleContext,
  namespace: KubeObject,
  { next, prepared }: Judgement,
  dryRun: boolean,
  signal: AbortSignal,
): Promise<readonly BackendObject[]> {
  if (next === 'nothing') return [];
  const whole = { kind: 'Namespace', name: nameOf(namespace) };
  const parts = prepared.map(({ kind = '', metadata: { namespace: within = '', name = '' } = {} }) => ({
    kind,
    namespace: within,
    name,
  }));
  if (dryRun) return [...parts, whole];
  const remove = async (type: ResourceType<KubeObject>, object: KubeObject): Promise<void> => {
    const preconditions = { uid: uidOf(object) };
    await client
      .resource(type)
      .delete(type.namespaced ? refOf(object) : { name: nameOf(object) }, { preconditions, signal, lane: deleting })
      .catch((error: unknown) => {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      });
  };
  if (next === 'namespace') {
    await remove(home.namespaces, namespace);
    return [whole];
  }
  const kinds = await home.kinds(client, signal);
  for (const object of prepared) {
    const type = kinds.find(({ kind, apiVersion }) => kind === object.kind && apiVersion === object.apiVersion);
    if (type) await remove(type, object);
  }
  return parts;
}

async function findNamespace(
  { client, home, namespace: name }: DismantleContext,
  signal: AbortSignal,
): Promise<KubeObject | 'gone' | 'hidden'> {
  try {
    return await patiently(() => client.resource(home.namespaces).get({ name }, { signal, lane: reading }), signal);
  } catch (error) {
    if (isNotFound(error)) return 'gone';
    if (isForbidden(error)) return 'hidden';
    throw error;
  }
}

async function allIn(
  { client, namespace }: DismantleContext,
  kinds: readonly ResourceType<KubeObject>[],
  signal: AbortSignal,
): Promise<{ readonly objects: readonly KubeObject[]; readonly unseen: readonly string[] }> {
  const objects: KubeObject[] = [];
  const unseen: string[] = [];
  for (const kind of kinds) {
    const pages = (): AsyncIterable<{ readonly items: readonly KubeObject[] }> =>
      client.resource(kind).pages({ namespace, signal, lane: reading });
    try {
      objects.push(...(await collected(pages, signal)));
    } catch (error) {
      if (isForbidden(error)) unseen.push(kind.plural);
      // A kind that is not offered has no objects.
      else if (!isNotFound(error) && !(error instanceof ApiError && error.status === 405)) throw error;
    }
  }
  return { objects, unseen };
}
