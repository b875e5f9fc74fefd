import {
  ApiError,
  isConflict,
  isForbidden,
  isNotFound,
  type KubeClient,
  type KubeObject,
  nameOf,
  namespaceOf,
  type Pod,
  type ResourceType,
} from '@spillway/kube';
import type { Sighting } from '../../survey.ts';
import type { Dialect } from '../dialect.ts';
import { collected, patiently } from '../patiently.ts';
import { clusterOf, everyCopySelector, everyDeadManSelector } from '../pods/marks.ts';
import { tracesIn } from './traces.ts';

export interface LookOptions {
  readonly client: KubeClient;
  readonly types: Pick<Dialect['types'], 'pods' | 'configMaps' | 'secrets'>;
  readonly namespaces: ResourceType<KubeObject>;
  /** Of the configuration: looked into even when namespaces are not listed. */
  readonly known: readonly string[];
  /** May a namespace of this name be one of pods of some cluster? Those with marks always are. */
  readonly mayBeOurs: (name: string) => boolean;
}

/** Everything with marks, as far as these credentials may see it. */
export async function lookAround(options: LookOptions, signal: AbortSignal): Promise<Sighting> {
  const { client, types, namespaces, known, mayBeOurs } = options;
  const listed = await unlessRefused(all(client, namespaces, {}, signal));
  const pods = await unlessRefused(all(client, types.pods, {}, signal));
  const names = new Set(known);
  for (const { metadata } of listed ?? []) {
    const name = metadata?.name ?? '';
    if (clusterOf({ ...(metadata && { metadata }) }) !== undefined || mayBeOurs(name)) names.add(name);
  }
  for (const pod of pods ?? []) {
    const isMarked = clusterOf(pod) ?? pod.metadata?.annotations?.['virtual-kubelet-clustername'];
    if (isMarked !== undefined) names.add(namespaceOf(pod) ?? '');
  }
  const traces = [];
  for (const name of names) {
    const object = listed?.find((each) => nameOf(each) === name) ?? (await readNamespace(options, name, signal));
    if (object === undefined) continue;
    const inside = { namespace: name };
    const own: readonly Pod[] =
      pods?.filter((pod) => namespaceOf(pod) === name) ??
      (await unlessRefused(all(client, types.pods, inside, signal))) ??
      [];
    const copies = { ...inside, labelSelector: everyCopySelector };
    const heartbeats = { ...inside, labelSelector: everyDeadManSelector };
    const [configMaps = [], secrets = [], beats = []] = [
      await unlessRefused(all(client, types.configMaps, copies, signal)),
      await unlessRefused(all(client, types.secrets, copies, signal)),
      await unlessRefused(all(client, types.configMaps, heartbeats, signal)),
    ];
    traces.push(...tracesIn({ name, object, pods: own, copies: [...configMaps, ...secrets, ...beats] }));
  }
  return { traces, ...unseenOf(listed === undefined, pods === undefined, known) };
}

/** One that none of our backends knows. */
export async function endForeign(
  client: KubeClient,
  pods: ResourceType<Pod>,
  ref: { readonly namespace: string; readonly name: string; readonly uid: string },
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, uid } = ref;
  try {
    await client.resource(pods).delete({ namespace, name }, { preconditions: { uid }, signal });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

function unseenOf(noNamespaces: boolean, noPods: boolean, known: readonly string[]): Pick<Sighting, 'unseen'> {
  if (!noNamespaces) return {};
  const only = known.length === 0 ? '' : `, besides ${known.join(', ')}`;
  const unseen = noPods
    ? `neither namespaces nor pods of all namespaces can be listed: nothing is found${only}`
    : `namespaces cannot be listed: those without pods are not found${only}`;
  return { unseen };
}

async function readNamespace(
  { client, namespaces }: LookOptions,
  name: string,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  return await unlessRefused(patiently(() => client.resource(namespaces).get({ name }, { signal }), signal));
}

async function all<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  options: { readonly namespace?: string; readonly labelSelector?: string },
  signal: AbortSignal,
): Promise<readonly T[]> {
  return await collected(() => client.resource(type).pages({ ...options, signal }), signal);
}

/** Undefined: it may not be asked for, or is not offered. */
async function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const isRefused = error instanceof ApiError && (error.status === 400 || error.status === 405);
    if (isRefused || isForbidden(error) || isNotFound(error)) return undefined;
    throw error;
  }
}
