import type { Pod, ResourceClient, Secret } from '@spillway/kube';
import type { InstanceChange, InstanceRef, Refusal, Workload } from '../../backend.ts';
import { changeVolumes, type VolumeChangeContext } from '../copies/volume-change.ts';
import type { Translation } from '../fields/translate.ts';
import { syncing } from '../lanes.ts';
import { addEphemeralContainers } from '../pods/ephemeral-containers.ts';
import { changePod } from './change-pod.ts';

export interface InstanceChangeContext extends VolumeChangeContext {
  readonly pods: ResourceClient<Pod>;
  /** What a workload is there. */
  readonly translated: (workload: Workload) => Promise<Translation>;
  /** Is given all pull Secrets of the pod when one of them has changed. */
  readonly loginsChanged: ((pod: Pod, secrets: ReadonlyMap<string, Secret>) => Promise<void>) | undefined;
}

/** @returns what cannot be changed there */
export async function changeInstance(
  ref: InstanceRef,
  change: InstanceChange,
  context: InstanceChangeContext,
  signal: AbortSignal,
): Promise<readonly Refusal[]> {
  await changeVolumes(ref, change, context, signal);
  await changeLogins(ref, change, context, signal);
  return change.workload === undefined ? [] : await changeWorkload(change.workload, context, signal);
}

async function changeLogins(
  ref: InstanceRef,
  { objects, pullSecrets }: InstanceChange,
  { instances, loginsChanged }: InstanceChangeContext,
  signal: AbortSignal,
): Promise<void> {
  if (pullSecrets === undefined || loginsChanged === undefined) return;
  const pod = await instances.find({ signal, lane: syncing }, ref.uid);
  const secrets = new Map([...objects.secrets].filter(([name]) => pullSecrets.includes(name)));
  if (pod) await loginsChanged(pod, secrets);
}

async function changeWorkload(
  workload: Workload,
  { pods, instances, copies, dialect, translated }: InstanceChangeContext,
  signal: AbortSignal,
): Promise<readonly Refusal[]> {
  const found = await instances.find({ signal, lane: syncing }, workload.ref.uid);
  if (!found || found.metadata?.deletionTimestamp !== undefined) return [];
  const wanted = await translated(workload);
  await copies.bring(wanted.copies, { signal, lane: syncing });
  // First, for the marks that changePod writes say how far the pod has come.
  const refused = await addEphemeralContainers(pods, found, wanted.ephemeralContainers, dialect, signal);
  return [...refused, ...(await changePod(pods, found, wanted.pod, dialect, signal))];
}
