import { type KubeClient, nameOf, uidOf } from '@spillway/kube';
import type { InstanceChange, InstanceRef, Owner } from '../../backend.ts';
import { copiesOf, copyNamesOf, namesUsedBy } from './copies.ts';
import type { CopyKeeper } from './copy-keeper.ts';
import type { Dialect } from '../dialect.ts';
import type { Instances } from '../pods/instances.ts';
import { syncing } from '../lanes.ts';
import { contentAnnotation } from '../pods/marks.ts';
import { ownName } from '../pods/names.ts';
import { changedTokens, digestOf } from '../fields/own-files.ts';
import { unlessReplaced } from '../answers.ts';

export interface VolumeChangeContext {
  readonly client: KubeClient;
  readonly instances: Instances;
  readonly copies: CopyKeeper;
  readonly dialect: Dialect;
  readonly owner: Owner;
  /** In the other cluster. */
  readonly namespace: string;
}

/** What a pod's volumes are made of becomes as the change says, and the kubelet over there is told to look. */
export async function changeVolumes(
  ref: InstanceRef,
  { volumes, objects, absent }: InstanceChange,
  { client, instances, copies, dialect, owner, namespace }: VolumeChangeContext,
  signal: AbortSignal,
): Promise<void> {
  const call = { signal, lane: syncing };
  const pod = await instances.find(call, ref.uid);
  if (!pod) return;
  const names = { configMaps: objects.configMaps.keys(), secrets: objects.secrets.keys() };
  const all = copiesOf(names, objects, { owner, from: ref.namespace, to: namespace });
  const used = namesUsedBy(pod);
  const wanted = {
    configMaps: all.configMaps.filter((each) => used.configMaps.has(nameOf(each))),
    secrets: all.secrets.filter((each) => used.secrets.has(nameOf(each))),
  };
  await copies.bring(wanted, call);
  await copies.drop(copyNamesOf(absent, { owner, from: ref.namespace }), call);
  if (volumes.size === 0) return;
  const tokens = changedTokens(pod, ownName(ref), volumes);
  if (Object.keys(tokens).length > 0) {
    const secret = { namespace, name: ownName(ref) };
    await client.resource(dialect.types.secrets).patch(secret, { type: 'merge', body: { data: tokens } }, call);
  }
  const content = digestOf(volumes);
  if (pod.metadata?.annotations?.[contentAnnotation] === content) return;
  const body = { metadata: { uid: uidOf(pod), annotations: { [contentAnnotation]: content } } };
  const resource = client.resource(dialect.types.pods);
  await resource.patch({ namespace, name: nameOf(pod) }, { type: 'merge', body }, call).catch(unlessReplaced);
}
