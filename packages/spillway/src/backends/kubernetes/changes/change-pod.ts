import { nameOf, type Pod, type ResourceClient, uidOf } from '@spillway/kube';
import type { Refusal } from '../../backend.ts';
import { isRefusal, unlessReplaced } from '../answers.ts';
import type { Dialect } from '../dialect.ts';
import { syncing } from '../lanes.ts';
import { fieldsOf, type MetadataPatch, podChange, refusalsOf, withoutRefused } from './pod-change.ts';

/**
 * Makes a pod that is there what `wanted` says. What runs comes with the marks that tell of it, so that no request of somebody
 * else, however late, changes it unseen. Only a resize is a request of its own, and comes before them: what was begun is begun
 * again by whoever finds it half done.
 *
 * @returns what cannot be changed there
 */
export async function changePod(
  pods: ResourceClient<Pod>,
  found: Pod,
  wanted: Pod,
  dialect: Pick<Dialect, 'changes'>,
  signal: AbortSignal,
): Promise<readonly Refusal[]> {
  const { namespace = '', uid } = found.metadata ?? {};
  const at = { namespace, name: nameOf(found) };
  const call = { signal, lane: syncing };
  const change = podChange(found, wanted, dialect);
  const refused = [...change.refused];
  /** @returns whether it is done */
  const attempt = async (
    code: 'image-change-unsupported' | 'resize-unsupported',
    spec: object,
    metadata: Partial<MetadataPatch>,
    subresource?: string,
  ): Promise<boolean> => {
    try {
      const body = { metadata: { uid, ...metadata }, spec };
      await pods.patch(at, { type: 'strategic', body }, { ...call, ...(subresource !== undefined && { subresource }) });
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused.push(...refusalsOf(code, fieldsOf(spec, wanted), error.message));
      return false;
    }
  };
  const marks = (): MetadataPatch =>
    refused.length > 0 ? withoutRefused(change, found, wanted, refused) : change.metadata;
  if (change.resize) await attempt('resize-unsupported', change.resize, {}, 'resize');
  if (change.spec && (await attempt('image-change-unsupported', change.spec, marks()))) return refused;
  const metadata = marks();
  if (Object.keys(metadata.labels).length + Object.keys(metadata.annotations).length > 0) {
    const body = { metadata: { uid: uidOf(found), ...metadata } };
    await pods.patch(at, { type: 'merge', body }, call).catch(unlessReplaced);
  }
  return refused;
}
