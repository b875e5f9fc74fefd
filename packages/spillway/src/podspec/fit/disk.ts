import type { Pod } from '@spillway/kube';
import { units } from '../quantities.ts';
import { podResources } from '../resources.ts';
import { type Refusal, refusal } from '../review/refusal.ts';
import { formatMemory } from '../sizing/size.ts';
import type { Support } from './support.ts';

export const ephemeralStorage = 'ephemeral-storage';

/** A pod may ask for as much of its own disk as there is. */
export function diskRefusals(pod: Pod, { diskBytes }: Pick<Support, 'diskBytes'>): readonly Refusal[] {
  const wanted = units(podResources(pod, 'requests').get(ephemeralStorage) ?? 0n);
  if (diskBytes === undefined || wanted <= diskBytes) return [];
  const detail = `it requests ${formatMemory(wanted)}, and each pod has ${formatMemory(diskBytes)}`;
  return [refusal('ephemeral-storage-too-large', 'spec.containers', detail)];
}
