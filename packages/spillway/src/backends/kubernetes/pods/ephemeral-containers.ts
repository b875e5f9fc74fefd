import { type EphemeralContainer, nameOf, type Pod, type ResourceClient, uidOf } from '@spillway/kube';
import { refusal } from '../../../podspec/review/refusal.ts';
import type { Refusal } from '../../backend.ts';
import { isRefusal } from '../answers.ts';
import type { Dialect } from '../dialect.ts';
import { syncing } from '../lanes.ts';

/**
 * Gives a pod there the ephemeral containers that it does not have yet. None is ever taken away: a cluster only adds.
 *
 * @returns those that the cluster does not take, with its words
 */
export async function addEphemeralContainers(
  pods: ResourceClient<Pod>,
  found: Pod,
  wanted: readonly EphemeralContainer[],
  { verbs }: Pick<Dialect, 'verbs'>,
  signal: AbortSignal,
): Promise<readonly Refusal[]> {
  const there = found.spec?.ephemeralContainers ?? [];
  const missing = wanted.filter(({ name }) => !there.some((each) => each.name === name));
  if (missing.length === 0) return [];
  const refused = (words?: string): Refusal[] =>
    missing.map((each) =>
      refusal('ephemeral-containers-unsupported', `spec.ephemeralContainers[${wanted.indexOf(each)}]`, words),
    );
  if (!verbs.ephemeralContainers) return refused();
  try {
    const body = { metadata: { uid: uidOf(found) }, spec: { ephemeralContainers: missing } };
    const at = { namespace: found.metadata?.namespace ?? '', name: nameOf(found) };
    await pods.patch(at, { type: 'strategic', body }, { signal, lane: syncing, subresource: 'ephemeralcontainers' });
    return [];
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return refused(error.message);
  }
}
