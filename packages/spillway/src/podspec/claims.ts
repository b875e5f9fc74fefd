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
  const which = { namespace, name };
  const claim = sources.claim(namespace, name);
  if (claim === undefined) return unbound(which, `${titleOf(which)} does not exist`, 'Create the claim.');
  const { volumeName = '' } = claim.spec ?? {};
  const { phase } = claim.status ?? {};
  if (phase === 'Lost') {
    const remedy = 'Restore the PersistentVolume, or use another claim.';
    return unbound(which, `${titleOf(which)} has lost its volume`, remedy);
  }
  const volume = volumeName === '' ? undefined : sources.volume(volumeName);
  const { claimRef } = volume?.spec ?? {};
  if (claimRef?.uid !== undefined && claimRef.uid !== claim.metadata?.uid) {
    return unbound(
      which,
      `the PersistentVolume "${volumeName}" of the claim "${name}" is bound to the claim "${claimRef.namespace}/${claimRef.name}"`,
      'Use another claim, or release the volume for this one.',
    );
  }
  if (volumeName !== '' && isPlanned(claim)) return { kind: 'expected', ...which, volume };
  if (volumeName === '' || phase !== 'Bound') return notBoundYet(which, claim, sources);
  if (volume === undefined) {
    return unbound(
      which,
      `the PersistentVolume "${volumeName}" of the claim "${name}" does not exist`,
      'Restore the volume, or use another claim.',
    );
  }
  if (claimRef?.uid === undefined) {
    return unbound(
      which,
      `the PersistentVolume "${volumeName}" of the claim "${name}" is bound to no claim`,
      'Restore its claimRef, or use another claim.',
    );
  }
  return { kind: 'bound', ...which, claim, volume };
}

interface ClaimName {
  readonly namespace: string;
  readonly name: string;
}

/** What keeps it from being bound, if anything does. */
function notBoundYet(which: ClaimName, claim: PersistentVolumeClaim, sources: ClaimSources): ClaimState {
  const { volumeName = '', storageClassName } = claim.spec ?? {};
  const storageClass = sources.storageClass?.(storageClassName);
  if (waitsForPod(claim, storageClass)) {
    return unbound(
      which,
      `${titleOf(which)} gets its volume where its first pod runs (volumeBindingMode WaitForFirstConsumer of the storage class "${storageClass?.metadata?.name ?? storageClassName}"), which cannot be a virtual node`,
      'Use a storage class with volumeBindingMode Immediate, or a claim that is already bound.',
      storageClass,
    );
  }
  const needsClass = volumeName === '' && storageClassName !== '';
  if (needsClass && sources.storageClass !== undefined && storageClass === undefined) {
    const text = isPlanned(claim) ? 'would not be bound' : 'is not bound to a volume yet';
    const classes = 'Use one of those that are there: kubectl get storageclass';
    return unbound(which, `${titleOf(which)} ${text}: ${noClass(storageClassName)}`, classes);
  }
  if (isPlanned(claim)) return { kind: 'expected', ...which, storageClass };
  const remedy = `To see why, run: kubectl describe pvc ${which.name} -n ${which.namespace}`;
  return unbound(which, `${titleOf(which)} is not bound to a volume yet`, remedy, storageClass);
}

const unbound = (which: ClaimName, message: string, remedy: string, storageClass?: StorageClass): ClaimState => ({
  kind: 'unbound',
  ...which,
  storageClass,
  message,
  remedy,
});

const titleOf = ({ name }: ClaimName): string => `the PersistentVolumeClaim "${name}"`;

/** Only its manifest is known. */
const isPlanned = ({ metadata }: PersistentVolumeClaim): boolean => metadata?.uid === undefined;

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
