import type { Container, KeyToPath, Pod, ProjectedVolumeSource, Volume } from '@spillway/kube';
import { defaultLimits, metadataField, resourceField } from './field-paths.ts';
import { type Lack, objectNotFound } from './missing.ts';
import { nanoOf, units } from './quantities.ts';
import type { WorkloadFacts, WorkloadSources } from './workload-sources.ts';
import { decodeBytes, ownValue } from './sources.ts';
import { volumePathError } from './volume-paths.ts';

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

export type VolumeResolution =
  | { readonly ok: true; readonly volume: ResolvedVolume }
  /** Of a kind that only a backend can provide (hostPath, PersistentVolumeClaim, …): its review says whether it can. */
  | { readonly ok: false; readonly lacking: readonly Lack[] }
  | undefined;

type DownwardItems = NonNullable<NonNullable<Volume['downwardAPI']>['items']>;

const defaultMode = 0o644;
/** Tokens are for the pod's user only. */
const tokenMode = 0o600;

/** Undefined for the kinds of volume that do not come from the cluster's objects. */
export function resolveVolume(
  pod: Pod,
  volume: Volume,
  sources: WorkloadSources,
  facts: Pick<WorkloadFacts, 'allocatable'>,
): VolumeResolution {
  const { emptyDir, configMap, secret, downwardAPI, projected } = volume;
  if (emptyDir) {
    const limit = emptyDir.sizeLimit === undefined ? 0n : units(nanoOf(emptyDir.sizeLimit));
    const medium = emptyDir.medium === 'Memory' ? 'Memory' : '';
    return { ok: true, volume: { kind: 'emptyDir', medium, ...(limit > 0n && { sizeLimitBytes: limit }) } };
  }
  const files = new Files(pod, sources, facts);
  if (configMap) files.configMap(configMap, configMap.defaultMode);
  else if (secret) files.secret({ ...secret, name: secret.secretName ?? '' }, secret.defaultMode);
  else if (downwardAPI) files.downward(downwardAPI.items ?? [], downwardAPI.defaultMode);
  else if (projected) files.projected(volume.name, projected);
  else return undefined;
  return files.done();
}

interface ObjectSource {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}

const missingKey = {
  configMap: 'configmap references non-existent config key',
  secret: 'references non-existent secret key',
} as const;

class Files {
  readonly #pod: Pod;
  readonly #sources: WorkloadSources;
  readonly #facts: Pick<WorkloadFacts, 'allocatable'>;
  readonly #files = new Map<string, VolumeFile>();
  readonly #lacking: Lack[] = [];

  constructor(pod: Pod, sources: WorkloadSources, facts: Pick<WorkloadFacts, 'allocatable'>) {
    this.#pod = pod;
    this.#sources = sources;
    this.#facts = facts;
  }

  done(): VolumeResolution {
    if (this.#lacking.length > 0) return { ok: false, lacking: this.#lacking };
    return { ok: true, volume: { kind: 'files', files: [...this.#files.values()] } };
  }

  configMap(source: ObjectSource, mode?: number): void {
    const { name = '', items = [], optional = false } = source;
    const configMap = this.#sources.configMap(name);
    if (!configMap && !optional) return this.#lack(objectNotFound('configMap', name));
    const { data, binaryData } = configMap ?? {};
    const bytes = (key: string): Uint8Array | undefined => {
      const text = ownValue(data, key);
      const binary = ownValue(binaryData, key);
      if (text !== undefined) return Buffer.from(text, 'utf8');
      return binary === undefined ? undefined : decodeBytes(binary);
    };
    const keys = [...Object.keys(data ?? {}), ...Object.keys(binaryData ?? {})];
    this.#object('configMap', { name, items, optional }, keys, bytes, mode);
  }

  secret(source: ObjectSource, mode?: number): void {
    const { name = '', items = [], optional = false } = source;
    const secret = this.#sources.secret(name);
    if (!secret && !optional) return this.#lack(objectNotFound('secret', name));
    const bytes = (key: string): Uint8Array | undefined => {
      const value = ownValue(secret?.data, key);
      return value === undefined ? undefined : decodeBytes(value);
    };
    this.#object('secret', { name, items, optional }, Object.keys(secret?.data ?? {}), bytes, mode);
  }

  downward(items: DownwardItems, mode?: number): void {
    for (const item of items) {
      const field = item.fieldRef
        ? metadataField(this.#pod, item.fieldRef.fieldPath)
        : this.#resource(item.resourceFieldRef);
      if (field.ok) this.#add(item.path, Buffer.from(field.value, 'utf8'), item.mode ?? mode);
      else this.#lack({ kind: 'invalid', name: item.path, message: field.error });
    }
  }

  projected(volume: string, { sources = [], defaultMode: mode }: ProjectedVolumeSource): void {
    for (const source of sources) {
      if (source.configMap) this.configMap(source.configMap, mode);
      else if (source.secret) this.secret(source.secret, mode);
      else if (source.downwardAPI) this.downward(source.downwardAPI.items ?? [], mode);
      else if (source.serviceAccountToken) this.#token(volume, source.serviceAccountToken, mode);
      else {
        const kind = Object.keys(source)[0] ?? 'nothing';
        this.#lack({ kind: 'invalid', name: kind, message: `projected source ${kind} is not supported` });
      }
    }
  }

  #token(
    volume: string,
    token: { readonly path: string; readonly audience?: string; readonly expirationSeconds?: number },
    mode?: number,
  ): void {
    const { path, audience = '', expirationSeconds = 3600 } = token;
    const value = this.#sources.token({ volume, path, audience, expirationSeconds });
    if (value === undefined) {
      const account = this.#pod.spec?.serviceAccountName ?? 'default';
      const message = `failed to fetch token: no token for service account "${account}"`;
      return this.#lack({ kind: 'token', name: account, message });
    }
    const uid = sharedRunAsUser(this.#pod);
    const restricted = uid !== undefined || this.#pod.spec?.securityContext?.fsGroup !== undefined;
    this.#add(path, Buffer.from(value, 'utf8'), restricted ? tokenMode : mode, uid);
  }

  #object(
    kind: 'configMap' | 'secret',
    { name, items, optional }: { name: string; items: readonly KeyToPath[]; optional: boolean },
    keys: readonly string[],
    bytes: (key: string) => Uint8Array | undefined,
    mode: number | undefined,
  ): void {
    const wanted: readonly KeyToPath[] = items.length > 0 ? items : keys.map((key) => ({ key, path: key }));
    for (const { key, path, mode: own } of wanted) {
      const content = bytes(key);
      if (content) this.#add(path, content, own ?? mode);
      else if (!optional) this.#lack({ kind, name, key, message: `${missingKey[kind]}: ${key}` });
    }
  }

  #resource(selector: DownwardItems[number]['resourceFieldRef']): ReturnType<typeof resourceField> {
    const { initContainers = [], containers = [] } = this.#pod.spec ?? {};
    const name = selector?.containerName;
    const container = [...containers, ...initContainers].find((candidate) => candidate.name === name);
    if (!selector || !container) return { ok: false, error: `container ${name} not found` };
    return resourceField(selector, container, defaultLimits(this.#pod, this.#facts.allocatable));
  }

  #add(path: string, content: Uint8Array, mode = defaultMode, uid?: number): void {
    const error = volumePathError(path);
    if (error) return this.#lack({ kind: 'invalid', name: path, message: error });
    const clean = path
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .join('/');
    this.#files.set(clean, { path: clean, mode, content, ...(uid !== undefined && { uid }) });
  }

  #lack(lack: Lack): void {
    this.#lacking.push(lack);
  }
}

function effectiveRunAsUser(pod: Pod, container: Container): number | undefined {
  return container.securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser;
}

/** The user that all containers run as, when every one says so. */
function sharedRunAsUser(pod: Pod): number | undefined {
  const { initContainers = [], containers = [] } = pod.spec ?? {};
  const users = new Set([...initContainers, ...containers].map((container) => effectiveRunAsUser(pod, container)));
  const [user] = users;
  return users.size === 1 ? user : undefined;
}
