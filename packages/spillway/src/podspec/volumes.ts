/** A volume with its content, as the backend mounts it. */
export type ResolvedVolume =
  | { readonly kind: 'emptyDir'; readonly medium: '' | 'Memory'; readonly sizeLimitBytes?: bigint }
  /** ConfigMap, Secret, downwardAPI and projected volumes: files that the kubelet would write. */
  | { readonly kind: 'files'; readonly files: readonly VolumeFile[] };

export interface VolumeFile {
  /** Relative to the mount point, `/` as separator, never leaving it. */
  readonly path: string;
  /** Permission bits, e.g. 0o644. */
  readonly mode: number;
  readonly content: Uint8Array;
  /** Owner; absent: root. Set for tokens of pods whose containers all run as one user. */
  readonly uid?: number;
}
