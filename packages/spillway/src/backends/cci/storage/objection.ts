import type { ClaimState } from '../../../podspec/claims.ts';
import type { ClaimObjection } from '../../../podspec/fit/support.ts';
import type { CciDialect } from '../dialects.ts';
import { type FileSystem, fileSystemOf } from './file-system.ts';
import { kindOfClass, kindOfVolume, type StorageKind } from './kinds.ts';

const mounts: Readonly<Record<CciDialect['apiVersion'], ReadonlySet<FileSystem['service']>>> = {
  v1: new Set(['sfs', 'sfs-turbo']),
  v2: new Set(['sfs-turbo']),
};

/** Why a claim cannot be mounted in CCI. Undefined: it can, or nothing is known of its storage yet. */
export function claimObjection(
  apiVersion: CciDialect['apiVersion'],
  state: ClaimState | undefined,
): ClaimObjection | undefined {
  const kind = state && kindOf(state);
  if (kind === undefined) return undefined;
  const { service, text } = kind;
  const detail = `the claim "${state?.name}" is ${text}`;
  if (service === undefined) return { code: 'claim-storage-unsupported', detail };
  if (!mounts[apiVersion].has(service)) return { code: 'claim-sfs-unsupported', detail };
  if (state?.kind !== 'bound' || fileSystemOf(state.volume)) return undefined;
  const volume = `the PersistentVolume "${state.volume.metadata?.name}"`;
  return { code: 'claim-storage-unsupported', detail: `${volume} does not say where the file system is` };
}

function kindOf(state: ClaimState): StorageKind | undefined {
  if (state.kind === 'bound') return kindOfVolume(state.volume);
  if (state.volume) return kindOfVolume(state.volume);
  return state.storageClass && kindOfClass(state.storageClass);
}
