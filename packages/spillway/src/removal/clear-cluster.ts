import {
  controllerOf,
  isConflict,
  isInvalid,
  isNotFound,
  type KubeClient,
  type KubeObject,
  namespacedTypes,
  nameOf,
  type Pod,
  pods,
  refOf,
  type ResourceType,
  uidOf,
} from '@spillway/kube';
import { typeOf } from '../addon/object-types.ts';
import { burstScheduler, profileGate } from '../podspec/contract.ts';
import { isUsual } from '../podspec/usual-objects.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Persistence } from './persist.ts';
import { itemOf, left } from './plan.ts';
import type { Item, Left } from './report.ts';

/** Each with its UID, so that nothing that has its name now goes in its place. @returns those that are gone or going */
export async function removeObjects(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal: AbortSignal,
  typeOfObject: (object: KubeObject) => ResourceType<KubeObject> = typeOf,
): Promise<readonly Item[]> {
  for (const object of objects) {
    const ref = object.metadata?.namespace === undefined ? { name: nameOf(object) } : refOf(object);
    await client
      .resource(typeOfObject(object))
      .delete(ref, { preconditions: { uid: uidOf(object) }, signal })
      .catch(unlessGone);
  }
  return objects.map(itemOf);
}

/** @param graceSeconds absent: their own */
export async function deletePods(
  client: KubeClient,
  found: readonly Pod[],
  graceSeconds: number | undefined,
  signal: AbortSignal,
): Promise<readonly Item[]> {
  const due = found.filter(({ metadata }) => graceSeconds !== undefined || metadata?.deletionTimestamp === undefined);
  const one = async (pod: Pod): Promise<void> => {
    const preconditions = { uid: uidOf(pod) };
    const grace = graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds };
    await client
      .resource(pods)
      .delete(refOf(pod), { ...grace, preconditions, signal })
      .catch(unlessGone);
  };
  // So many at a time that the API server has time for others.
  for (let from = 0; from < due.length; from += podsAtOnce)
    await Promise.all(due.slice(from, from + podsAtOnce).map(one));
  return found.map(itemOf);
}

const podsAtOnce = 20;

/**
 * Nobody would place them: an owner creates another, which the scheduler of the cluster takes; the gate of the others is lifted.
 * @returns those for which only their author can do something
 */
export async function freeWaiting(
  client: KubeClient,
  waiting: readonly Pod[],
  signal: AbortSignal,
): Promise<readonly Left[]> {
  const ofOurScheduler = waiting.filter(({ spec }) => spec?.schedulerName === burstScheduler);
  await deletePods(client, ofOurScheduler.filter(isOwned), undefined, signal);
  for (const pod of waiting) {
    const index = pod.spec?.schedulingGates?.findIndex(({ name }) => name === profileGate) ?? -1;
    if (index === -1) continue;
    const path = `/spec/schedulingGates/${index}`;
    const body = [
      { op: 'test', path: `${path}/name`, value: profileGate },
      { op: 'remove', path },
    ] as const;
    await client
      .resource(pods)
      .patch(refOf(pod), { type: 'json', body: [...body] }, { signal })
      .catch(unlessGone);
  }
  return ofOurScheduler
    .filter((pod) => !isOwned(pod))
    .map((pod) =>
      left(pod, `waits for the scheduler "${burstScheduler}", which is gone`, 'Delete it and create it again'),
    );
}

const isOwned = (pod: Pod): boolean => controllerOf(pod) !== undefined;

/** How long what goes by itself is waited for. */
const passingMs = 60_000;

/** Namespaces in which nothing is left that every namespace does not have. */
export async function removeNamespaces(
  client: KubeClient,
  found: readonly KubeObject[],
  { clock }: Pick<Persistence, 'clock'>,
  signal: AbortSignal,
): Promise<{ readonly removed: readonly Item[]; readonly kept: readonly Left[] }> {
  const removed: KubeObject[] = [];
  const kept: Left[] = [];
  const deadlineMs = clock.now() + passingMs;
  for (const object of found) {
    let inside = await objectsIn(client, nameOf(object), signal);
    while (inside.some((each) => isPassing(each, inside)) && clock.now() < deadlineMs) {
      await clock.sleep(500, signal);
      signal.throwIfAborted();
      inside = await objectsIn(client, nameOf(object), signal);
    }
    if (inside.length === 0) removed.push(object);
    else kept.push(inUse(object, inside));
  }
  await removeObjects(client, removed, signal);
  return { removed: removed.map(itemOf), kept };
}

/** Those that others use beside this installation. */
export async function usedNamespaces(
  client: KubeClient,
  { namespaces, workload, rights, leases, records }: ClusterView,
  signal: AbortSignal,
): Promise<readonly Left[]> {
  const ours = new Set([...workload, ...rights, ...leases, ...records].map(uidOf));
  const used: Left[] = [];
  for (const object of namespaces) {
    const inside = await objectsIn(client, nameOf(object), signal);
    const ofOthers = inside.filter((each) => !ours.has(uidOf(each)) && each.metadata?.ownerReferences === undefined);
    if (ofOthers.length > 0) used.push(inUse(object, ofOthers));
  }
  return used;
}

function inUse(namespace: KubeObject, inside: readonly KubeObject[]): Left {
  const named = inside.slice(0, 3).map((each) => `${each.kind} ${nameOf(each)}`);
  const more = inside.length > named.length ? ` and ${inside.length - named.length} more` : '';
  return left(namespace, `it is in use: ${named.join(', ')}${more}`, 'Move or delete them, and run this again');
}

async function objectsIn(client: KubeClient, namespace: string, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const inside: KubeObject[] = [];
  for (const type of await namespacedTypes(client, signal)) {
    try {
      for await (const { items } of client.resource(type).pages({ namespace, signal })) {
        inside.push(...items.filter((each) => !isUsual(each)));
      }
    } catch (error) {
      // Its definition has just gone.
      if (!isNotFound(error)) throw error;
    }
  }
  return inside;
}

/** It is being deleted, or will be because nothing is left that owns it. */
function isPassing({ metadata }: KubeObject, inside: readonly KubeObject[]): boolean {
  const { deletionTimestamp, ownerReferences = [] } = metadata ?? {};
  if (deletionTimestamp !== undefined) return true;
  return ownerReferences.length > 0 && !ownerReferences.some(({ uid }) => inside.some((each) => uidOf(each) === uid));
}

export function undefinedIfMissing(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

/** Gone, or another has its name. */
function unlessGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error) && !isInvalid(error)) throw error;
}
