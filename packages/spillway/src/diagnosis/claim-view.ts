import type { PersistentVolume, Pod } from '@spillway/kube';
import { type ClaimSources, type ClaimState, claimStateOf, claimVolumes } from '../podspec/claims.ts';
import { isRecord } from '../podspec/plain.ts';
import { sentences } from '../podspec/words.ts';

/** What becomes of one of a pod's claims. */
export interface ClaimView {
  readonly claim: string;
  /** Of the pod. */
  readonly volume: string;
  /** `expected`: it is made with the pods. */
  readonly state: ClaimState['kind'];
  readonly text: string;
}

export function claimViewsOf(pod: Pod, sources: ClaimSources): ClaimView[] {
  const namespace = pod.metadata?.namespace ?? '';
  return claimVolumes(pod).map(({ name, volume }) => {
    const state = claimStateOf(namespace, name, sources);
    return { claim: name, volume, state: state.kind, text: textOf(state) };
  });
}

function textOf(state: ClaimState): string {
  switch (state.kind) {
    case 'bound':
      return `bound to ${volumeText(state.volume)}`;
    case 'expected': {
      if (state.volume) return `is made with the pods, and names ${volumeText(state.volume)}`;
      const { metadata, provisioner } = state.storageClass ?? {};
      const by = metadata?.name === undefined ? '' : ` by the storage class "${metadata.name}" (${provisioner})`;
      return `is made with the pods, and its volume${by}`;
    }
    default:
      return sentences(state.message, state.remedy);
  }
}

const volumeText = (volume: PersistentVolume): string =>
  `the PersistentVolume "${volume.metadata?.name}" (${sourceOf(volume)})`;

/** Fields of a volume that are objects, and do not say where its data is. */
const notSources: ReadonlySet<string> = new Set(['capacity', 'claimRef', 'nodeAffinity']);

function sourceOf({ spec = {} }: PersistentVolume): string {
  if (spec.csi) return `${spec.csi.driver}, ${spec.csi.volumeHandle}`;
  return Object.entries(spec).find(([field, value]) => isRecord(value) && !notSources.has(field))?.[0] ?? 'unknown';
}
