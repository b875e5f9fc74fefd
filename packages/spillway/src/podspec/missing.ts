import type { Notice } from './notice.ts';

/** Something mandatory that is not there (yet), or that nobody can resolve. */
export interface MissingReference {
  readonly kind: 'configMap' | 'secret' | 'token' | 'claim' | 'invalid';
  /** Name of the object; for `invalid` the field. */
  readonly name: string;
  /** The key that the object lacks; absent: the object is missing. */
  readonly key?: string;
  /** Who needs it. */
  readonly container?: string;
  readonly volume?: string;
  /** For `state.waiting` of the container, or of all containers when a volume lacks it. */
  readonly waiting: { readonly reason: 'CreateContainerConfigError' | 'ContainerCreating'; readonly message?: string };
  /** The kubelet's event. */
  readonly event: Notice;
  /** For a variable's object: the event that the Go virtual-kubelet's users wait for, besides the kubelet's. */
  readonly also?: Notice;
}

/** What is missing, before it is known where it was needed. */
export interface Lack {
  readonly kind: MissingReference['kind'];
  readonly name: string;
  readonly key?: string;
  /** The kubelet's words. */
  readonly message: string;
}

export function missingForContainer(lack: Lack, container: string, fieldPath: string): MissingReference {
  return {
    ...identity(lack),
    container,
    waiting: { reason: 'CreateContainerConfigError', message: lack.message },
    event: { severity: 'Warning', reason: 'Failed', message: `Error: ${lack.message}`, fieldPath },
    ...(isMissingObject(lack) && { also: { ...missingObjectNotice('Mandatory', lack.kind, lack.name), fieldPath } }),
  };
}

/** A whole object that is not there; the reason is the Go virtual-kubelet's. */
export function missingObjectNotice(
  need: 'Mandatory' | 'Optional',
  kind: 'configMap' | 'secret',
  name: string,
): Omit<Notice, 'fieldPath'> {
  const word = kind === 'configMap' ? 'ConfigMap' : 'Secret';
  return { severity: 'Warning', reason: `${need}${word}NotFound`, message: `${need} ${word} "${name}" not found` };
}

function isMissingObject(lack: Lack): lack is Lack & { readonly kind: 'configMap' | 'secret' } {
  return (lack.kind === 'configMap' || lack.kind === 'secret') && lack.key === undefined;
}

export function missingForVolume(lack: Lack, volume: string): MissingReference {
  return {
    ...identity(lack),
    volume,
    waiting: { reason: 'ContainerCreating' },
    event: {
      severity: 'Warning',
      reason: 'FailedMount',
      message: `MountVolume.SetUp failed for volume "${volume}" : ${lack.message}`,
    },
  };
}

function identity({ kind, name, key }: Lack): Pick<MissingReference, 'kind' | 'name' | 'key'> {
  return key === undefined ? { kind, name } : { kind, name, key };
}

export function objectNotFound(kind: 'configMap' | 'secret', name: string): Lack {
  return { kind, name, message: `${kind.toLowerCase()} "${name}" not found` };
}
