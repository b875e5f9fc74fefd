import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '@spillway/kube';
import type { Problem } from '../review/refusal.ts';
import { matchesAnyTerm } from './node-match.ts';

/** What the cluster knows about volumes. */
export interface ClaimSources {
  readonly claim: (namespace: string, name: string) => PersistentVolumeClaim | undefined;
  readonly volume: (name: string) => PersistentVolume | undefined;
  readonly storageClass: (name: string) => StorageClass | undefined;
}

/** Names of the volume claims that a pod uses, those included that are made for it when it is there. */
export function claimNames({ metadata, spec }: Pod): readonly string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return [persistentVolumeClaim.claimName];
    return ephemeral === undefined || metadata?.uid === undefined ? [] : [`${metadata.name ?? ''}-${name}`];
  });
}

/** Why the claims of the pod keep it from the node. A claim has to be bound to a volume that the node can reach. */
export function claimProblem(pod: Pod, node: Node, sources: ClaimSources): Problem | undefined {
  for (const name of claimNames(pod)) {
    const found = problemOfClaim(name, pod, node, sources);
    if (found !== undefined) return { field: 'spec.volumes', ...found };
  }
  return undefined;
}

function problemOfClaim(name: string, pod: Pod, node: Node, sources: ClaimSources): Omit<Problem, 'field'> | undefined {
  const claim = sources.claim(pod.metadata?.namespace ?? '', name);
  if (claim === undefined) {
    return { message: `the PersistentVolumeClaim "${name}" does not exist`, remedy: 'Create the claim.' };
  }
  const { volumeName = '', storageClassName = '' } = claim.spec ?? {};
  if (volumeName === '' || claim.status?.phase !== 'Bound') {
    const { volumeBindingMode } = sources.storageClass(storageClassName) ?? {};
    if (volumeBindingMode === 'WaitForFirstConsumer') {
      return {
        message: `the PersistentVolumeClaim "${name}" gets its volume where its first pod runs (volumeBindingMode WaitForFirstConsumer of the storage class "${storageClassName}"), which cannot be a virtual node`,
        remedy: 'Use a storage class with volumeBindingMode Immediate, or a claim that is already bound.',
      };
    }
    return {
      message: `the PersistentVolumeClaim "${name}" is not bound to a volume yet`,
      remedy: `To see why, run: kubectl describe pvc ${name}`,
    };
  }
  const volume = sources.volume(volumeName);
  if (volume === undefined) {
    return {
      message: `the PersistentVolume "${volumeName}" of the claim "${name}" does not exist`,
      remedy: 'Restore the volume, or use another claim.',
    };
  }
  const required = volume.spec?.nodeAffinity?.required;
  if (required === undefined || matchesAnyTerm(required.nodeSelectorTerms, node)) return undefined;
  return {
    message: `the PersistentVolume "${volumeName}" of the claim "${name}" can be reached from other nodes only`,
    remedy: 'Use a volume that is not tied to nodes or zones.',
  };
}
