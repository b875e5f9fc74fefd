import type { ReferencedObjects } from '../../podspec/references.ts';
import type { ResolvedVolume, VolumeFile } from '../../podspec/volumes.ts';
import type { Workload } from '../backend.ts';
import { parseJson } from '../trusted.ts';

/** What a {@link Workload} looks like on disk. Holds Secrets: whoever writes it keeps it private. */
interface StoredWorkload extends Omit<Workload, 'environment' | 'volumes' | 'objects' | 'claims'> {
  readonly version: 1;
  readonly environment: readonly (readonly [
    string,
    Workload['environment'] extends ReadonlyMap<string, infer V> ? V : never,
  ])[];
  readonly volumes: readonly (readonly [string, StoredVolume])[];
  /** Absent: written before there were any. */
  readonly objects?: { readonly [Kind in keyof ReferencedObjects]: readonly Entry<ReferencedObjects[Kind]>[] };
  readonly claims?: readonly Entry<Workload['claims']>[];
}

type Entry<M> = M extends ReadonlyMap<infer K, infer V> ? readonly [K, V] : never;

type StoredVolume =
  | { readonly kind: 'emptyDir'; readonly medium: '' | 'Memory'; readonly sizeLimitBytes?: string }
  | { readonly kind: 'files'; readonly files: readonly (Omit<VolumeFile, 'content'> & { readonly content: string })[] };

export function encodeWorkload(workload: Workload): string {
  const stored: StoredWorkload = {
    ...workload,
    version: 1,
    environment: [...workload.environment],
    volumes: Array.from(workload.volumes, ([name, volume]) => [name, storeVolume(volume)] as const),
    objects: { configMaps: [...workload.objects.configMaps], secrets: [...workload.objects.secrets] },
    claims: [...workload.claims],
  };
  return JSON.stringify(stored);
}

/** Throws on what is not a stored workload. */
export function decodeWorkload(text: string): Workload {
  const { version, environment, volumes, objects, claims, ...rest } = parseJson<StoredWorkload>(text);
  if (version !== 1) throw new Error(`stored workload has version ${String(version)}, expected 1`);
  return {
    ...rest,
    environment: new Map(environment),
    volumes: new Map(volumes.map(([name, volume]) => [name, loadVolume(volume)])),
    objects: { configMaps: new Map(objects?.configMaps), secrets: new Map(objects?.secrets) },
    claims: new Map(claims),
  };
}

function storeVolume(volume: ResolvedVolume): StoredVolume {
  if (volume.kind === 'files') {
    const files = volume.files.map((file) => ({ ...file, content: Buffer.from(file.content).toString('base64') }));
    return { kind: 'files', files };
  }
  const { kind, medium, sizeLimitBytes } = volume;
  return { kind, medium, ...(sizeLimitBytes !== undefined && { sizeLimitBytes: String(sizeLimitBytes) }) };
}

function loadVolume(volume: StoredVolume): ResolvedVolume {
  if (volume.kind === 'files') {
    const files = volume.files.map((file) => ({ ...file, content: Buffer.from(file.content, 'base64') }));
    return { kind: 'files', files };
  }
  const { kind, medium, sizeLimitBytes } = volume;
  return { kind, medium, ...(sizeLimitBytes !== undefined && { sizeLimitBytes: BigInt(sizeLimitBytes) }) };
}
