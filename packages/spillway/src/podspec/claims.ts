import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '@spillway/kube';

/** What the cluster knows about volumes. */
export interface ClaimSources {
  /** One that has no UID is still to be created. */
  readonly claim: (namespace: string, name: string) => PersistentVolumeClaim | undefined;
  readonly volume: (name: string) => PersistentVolume | undefined;
  /** Without a name: the default. Absent: storage classes may not be read, as a node may not. */
  readonly storageClass?: (name: string | undefined) => StorageClass | undefined;
}

/** A claim with the volume that it is bound to. */
export interface BoundClaim {
  readonly namespace: string;
  readonly name: string;
  readonly claim: PersistentVolumeClaim;
  readonly volume: PersistentVolume;
}

/** One of which only a manifest is known. */
export interface ExpectedClaim {
  readonly namespace: string;
  readonly name: string;
  /** What will make its volume, if it is known. */
  readonly storageClass?: StorageClass | undefined;
  /** The one that it names. */
  readonly volume?: PersistentVolume | undefined;
}

export interface UnboundClaim extends ExpectedClaim {
  /** Without a full stop. */
  readonly message: string;
  readonly remedy: string;
}

export type ClaimState =
  | ({ readonly kind: 'bound' } & BoundClaim)
  | ({ readonly kind: 'unbound' } & UnboundClaim)
  | ({ readonly kind: 'expected' } & ExpectedClaim);

export interface ClaimVolume {
  /** Of the claim. */
  readonly name: string;
  /** Of the pod's volume. */
  readonly volume: string;
  readonly field: string;
  /** Made with the pod. */
  readonly ephemeral: boolean;
}

/** The claims that a pod uses, those included that are made for it when it is there. */
export function claimVolumes({ metadata, spec }: Pod): readonly ClaimVolume[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }, index): ClaimVolume[] => {
    const of = { volume: name, field: `spec.volumes[${index}]` };
    if (persistentVolumeClaim) return [{ ...of, name: persistentVolumeClaim.claimName, ephemeral: false }];
    const isMade = ephemeral !== undefined && metadata?.uid !== undefined;
    return isMade ? [{ ...of, name: `${metadata.name ?? ''}-${name}`, ephemeral: true }] : [];
  });
}

/** Whether a claim is bound, as a kubelet sees it: the claim and the volume name each other. */
export function claimStateOf(namespace: string, name: string, sources: ClaimSources): ClaimState {
  const which = `the PersistentVolumeClaim "${name}"`;
  const unbound = (message: string, remedy: string, storageClass?: StorageClass): ClaimState => ({
    kind: 'unbound',
    namespace,
    name,
    storageClass,
    message,
    remedy,
  });
  const claim = sources.claim(namespace, name);
  if (claim === undefined) return unbound(`${which} does not exist`, 'Create the claim.');
  const { volumeName = '', storageClassName } = claim.spec ?? {};
  const { phase } = claim.status ?? {};
  if (phase === 'Lost') {
    return unbound(`${which} has lost its volume`, 'Restore the PersistentVolume, or use another claim.');
  }
  const volume = volumeName === '' ? undefined : sources.volume(volumeName);
  const { claimRef } = volume?.spec ?? {};
  if (claimRef?.uid !== undefined && claimRef.uid !== claim.metadata?.uid) {
    return unbound(
      `the PersistentVolume "${volumeName}" of the claim "${name}" is bound to the claim "${claimRef.namespace}/${claimRef.name}"`,
      'Use another claim, or release the volume for this one.',
    );
  }
  const isPlanned = claim.metadata?.uid === undefined;
  if (volumeName !== '' && isPlanned) return { kind: 'expected', namespace, name, volume };
  if (volumeName === '' || phase !== 'Bound') {
    const storageClass = sources.storageClass?.(storageClassName);
    if (waitsForPod(claim, storageClass)) {
      return unbound(
        `${which} gets its volume where its first pod runs (volumeBindingMode WaitForFirstConsumer of the storage class "${storageClass?.metadata?.name ?? storageClassName}"), which cannot be a virtual node`,
        'Use a storage class with volumeBindingMode Immediate, or a claim that is already bound.',
        storageClass,
      );
    }
    if (
      volumeName === '' &&
      sources.storageClass !== undefined &&
      storageClass === undefined &&
      storageClassName !== ''
    ) {
      const text = isPlanned ? `${which} would not be bound` : `${which} is not bound to a volume yet`;
      const classes = 'Use one of those that are there: kubectl get storageclass';
      return unbound(`${text}: ${noClass(storageClassName)}`, classes);
    }
    if (isPlanned) return { kind: 'expected', namespace, name, storageClass };
    const remedy = `To see why, run: kubectl describe pvc ${name} -n ${namespace}`;
    return unbound(`${which} is not bound to a volume yet`, remedy, storageClass);
  }
  if (volume === undefined) {
    return unbound(
      `the PersistentVolume "${volumeName}" of the claim "${name}" does not exist`,
      'Restore the volume, or use another claim.',
    );
  }
  if (claimRef?.uid === undefined) {
    return unbound(
      `the PersistentVolume "${volumeName}" of the claim "${name}" is bound to no claim`,
      'Restore its claimRef, or use another claim.',
    );
  }
  return { kind: 'bound', namespace, name, claim, volume };
}

function noClass(name: string | undefined): string {
  return name === undefined ? 'there is no default storage class' : `there is no storage class "${name}"`;
}

/** The scheduler names the node of the first pod on the claim, when it has found one. */
const selectedNode = 'volume.kubernetes.io/selected-node';

function waitsForPod({ metadata }: PersistentVolumeClaim, storageClass: StorageClass | undefined): boolean {
  return (
    storageClass?.volumeBindingMode === 'WaitForFirstConsumer' || metadata?.annotations?.[selectedNode] !== undefined
  );
}
