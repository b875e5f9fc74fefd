import { ApiError, isNotFound, type KubeClient, type KubeObject, nameOf, refOf, uidOf } from '@spillway/kube';
import { installedTypes, typeOf } from '../addon/object-types.ts';
import { selectorTextOf } from '../podspec/installation.ts';
import { type Change, changeOf, identityOf } from './changes.ts';
import { keepingLiveFields } from './live-fields.ts';
import { appliedFields } from './owned-fields.ts';
import { getOrUndefined } from './read.ts';

/**
 * Owns the fields of an installation, and is not the name under which `spillway serve` writes. It is that of Helm, so that each of the two
 * changes and takes away what the other has applied: fields of another owner would be conflicts for Helm, and stay for ever.
 */
const fieldManager = 'helm';

/** Whoever applies an installation: this program and Helm, or kubectl, which have other ways to do it, too. */
const isInstaller = (manager: string, operation: string): boolean =>
  operation === 'Apply' || manager === fieldManager || manager.startsWith('kubectl');

/** What would change, and what the API server has against it. */
export interface Plan {
  readonly changes: readonly Change[];
  readonly refusals: readonly Refusal[];
  /** Of the installation, and no longer a part of it. */
  readonly outdated: readonly KubeObject[];
}

export interface Refusal {
  readonly object: KubeObject;
  readonly error: ApiError;
}

const refOfObject = (object: KubeObject): { readonly name: string; readonly namespace?: string } =>
  object.metadata?.namespace === undefined ? { name: nameOf(object) } : refOf(object);

const liveOf = async (client: KubeClient, object: KubeObject, signal: AbortSignal): Promise<KubeObject | undefined> =>
  await getOrUndefined(client, typeOf(object), refOfObject(object), signal);

/** Asks the API server, which changes nothing. @throws TransportError, and ApiError when nothing can be read */
export async function planObjects(
  client: KubeClient,
  installation: string,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<Plan> {
  const changes: Change[] = [];
  const refusals: Refusal[] = [];
  for (const object of objects) {
    const live = await liveOf(client, object, signal);
    try {
      const after = await applyOne(client, object, live, signal, true);
      const change = changeOf(live, after);
      if (change !== undefined) changes.push(change);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // Its namespace is to be created, so that nobody can say more.
      if (isNotFound(error) && live === undefined)
        changes.push({ ...identityOf(object), change: 'created', fields: [] });
      else refusals.push({ object, error });
    }
  }
  const outdated = await outdatedObjects(client, installation, objects, signal);
  const removals = outdated.map((object): Change => ({ ...identityOf(object), change: 'removed', fields: [] }));
  return { changes: [...changes, ...removals], refusals, outdated };
}

async function outdatedObjects(
  client: KubeClient,
  installation: string,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const wanted = new Set(objects.map(keyOf));
  const labelSelector = selectorTextOf(installation);
  const found: KubeObject[] = [];
  for (const type of installedTypes) {
    try {
      for await (const { items } of client.resource(type).pages({ labelSelector, signal })) found.push(...items);
    } catch (error) {
      // An older cluster has no such kind.
      if (!isNotFound(error)) throw error;
    }
  }
  return found.filter((object) => !wanted.has(keyOf(object)));
}

const keyOf = ({ kind, metadata }: KubeObject): string =>
  [kind, metadata?.namespace ?? '', metadata?.name ?? ''].join('\n');

async function applyOne(
  client: KubeClient,
  object: KubeObject,
  live: KubeObject | undefined,
  signal: AbortSignal,
  dryRun = false,
): Promise<KubeObject> {
  return await client
    .resource(typeOf(object))
    .apply(keepingLiveFields(object, live), { fieldManager, force: true, dryRun, signal });
}

/** What was applied before, for the way back. */
export interface Before {
  readonly object: KubeObject;
  /** Absent: it did not exist. */
  readonly applied: KubeObject | undefined;
}

/** @param onBefore is told of each object before it changes */
export async function applyObjects(
  client: KubeClient,
  objects: readonly KubeObject[],
  onBefore: (before: Before) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const object of objects) {
    const live = await liveOf(client, object, signal);
    onBefore({ object, applied: live && (appliedFields(live, isInstaller) ?? namesOf(live)) });
    await applyOne(client, object, live, signal);
  }
}

/** Applied again, it takes back what we have added. */
const namesOf = ({ apiVersion = '', kind = '', metadata = {} }: KubeObject): KubeObject => {
  const { name = '', namespace } = metadata;
  return { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } };
};

/** Makes everything as it was: what was new goes first, with those that send pods here before what serves them. */
export async function restoreObjects(
  client: KubeClient,
  befores: readonly Before[],
  signal: AbortSignal,
): Promise<void> {
  const added = befores.filter(({ applied }) => applied === undefined).toReversed();
  await deleteObjects(
    client,
    added.map(({ object }) => object),
    signal,
  );
  for (const { applied } of befores) {
    if (applied === undefined) continue;
    await applyOne(client, applied, await liveOf(client, applied, signal), signal);
  }
}

export async function deleteObjects(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  for (const object of objects) {
    const live = await liveOf(client, object, signal);
    if (live === undefined) continue;
    await client
      .resource(typeOf(object))
      .delete(refOfObject(object), { preconditions: { uid: uidOf(live) }, signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }
}
