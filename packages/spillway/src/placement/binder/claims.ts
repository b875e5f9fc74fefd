import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '@spillway/kube';
import type { Misfit } from './misfit.ts';
import { matchesAnyTerm } from './node-match.ts';

/** What the cluster knows about volumes. */
export interface ClaimSources {
  readonly claim: (namespace: string, name: string) => PersistentVolumeClaim | undefined;
  readonly volume: (name: string) => PersistentVolume | undefined;
  readonly storageClass: (name: string) => StorageClass | undefined;
}

/** Names of the volume claims that a pod uses, those made for it included. */
export function claimNames({ metadata, spec }: Pod): readonly string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return [persistentVolumeClaim.claimName];
    return ephemeral === undefined ? [] : [`${metadata?.name ?? ''}-${name}`];
  });
}

/** Why the claims of the pod keep it from the node. A claim has to be bound to a volume that the node can reach. */
export function claimMisfit(pod: Pod, node: Node, sources: ClaimSources): Misfit | undefined {
  if (pod.spec?.resourceClaims !== undefined && pod.spec.resourceClaims.length > 0) {
    return misfit('the pod has resource claims, and virtual nodes have no devices', 'Leave out resourceClaims');
  }
  for (const name of claimNames(pod)) {
    const found = misfitOfClaim(name, pod, node, sources);
    if (found !== undefined) return found;
  }
  return undefined;
}

function misfitOfClaim(name: string, pod: Pod, node: Node, sources: ClaimSources): Misfit | undefined {
  const claim = sources.claim(pod.metadata?.namespace ?? '', name);
  if (claim === undefined) return misfit(`there is no PersistentVolumeClaim "${name}"`, 'Create it');
  const { volumeName = '', storageClassName = '' } = claim.spec ?? {};
  if (volumeName === '' || claim.status?.phase !== 'Bound') {
    const { volumeBindingMode } = sources.storageClass(storageClassName) ?? {};
    if (volumeBindingMode === 'WaitForFirstConsumer') {
      return misfit(
        `the claim "${name}" is of the storage class "${storageClassName}", which makes the volume where the first pod runs (WaitForFirstConsumer), and virtual nodes have no such place`,
        'Use a storage class with volumeBindingMode Immediate, or a claim that is bound already',
      );
    }
    return misfit(`the claim "${name}" is not bound to a volume yet`, 'Look at the events of the claim');
  }
  const volume = sources.volume(volumeName);
  if (volume === undefined) return misfit(`there is no volume "${volumeName}" of the claim "${name}"`, 'Restore it');
  const required = volume.spec?.nodeAffinity?.required;
  if (required === undefined || matchesAnyTerm(required.nodeSelectorTerms, node)) return undefined;
  return misfit(
    `the volume "${volumeName}" of the claim "${name}" can be reached from other nodes only`,
    'Use a volume that is not bound to nodes or zones',
  );
}

function misfit(message: string, remedy: string): Misfit {
  return { kind: 'claim', message, remedy };
}
