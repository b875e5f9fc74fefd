import type { ConfigMap, Container, EnvFromSource, EnvVar, Pod, Secret, Volume } from '@spillway/kube';
import { claimVolumes } from './claims.ts';

/** An object of the pod's namespace that the pod names. */
export interface ReferencedObject {
  readonly name: string;
  /** True when every place that names it does without it. Image pull Secrets are always optional, as for the kubelet. */
  readonly optional: boolean;
}

/** A service account token that a projected volume asks for. The account is the pod's `spec.serviceAccountName`. */
export interface TokenReference {
  readonly volume: string;
  /** File in the volume. */
  readonly path: string;
  /** Empty: the API server's own audience. */
  readonly audience: string;
  readonly expirationSeconds: number;
}

export interface PodReferences {
  readonly configMaps: readonly ReferencedObject[];
  readonly secrets: readonly ReferencedObject[];
  /** Names of PersistentVolumeClaims. */
  readonly claims: readonly string[];
  readonly tokens: readonly TokenReference[];
}

/** ConfigMaps and Secrets that a pod refers to, by name, as far as they are there. */
export interface ReferencedObjects {
  readonly configMaps: ReadonlyMap<string, ConfigMap>;
  readonly secrets: ReadonlyMap<string, Secret>;
}

const defaultTokenExpirationSeconds = 3600;

/** Start of the name of the volume that the API server adds, with a token for itself. */
export const accessVolumePrefix = 'kube-api-access-';

/** Everything outside the pod object that {@link resolveWorkload} will ask for, each object once. */
export function referencesOf(pod: Pod): PodReferences {
  const configMaps = new Map<string, boolean>();
  const secrets = new Map<string, boolean>();
  const tokens: TokenReference[] = [];
  const envFrom = (source: EnvFromSource): void => {
    note(configMaps, source.configMapRef?.name, source.configMapRef?.optional);
    note(secrets, source.secretRef?.name, source.secretRef?.optional);
  };
  const env = ({ value, valueFrom }: EnvVar): void => {
    if (value) return;
    note(configMaps, valueFrom?.configMapKeyRef?.name, valueFrom?.configMapKeyRef?.optional);
    note(secrets, valueFrom?.secretKeyRef?.name, valueFrom?.secretKeyRef?.optional);
  };
  const volume = ({ name, configMap, secret, projected }: Volume): void => {
    note(configMaps, configMap?.name, configMap?.optional);
    note(secrets, secret?.secretName, secret?.optional);
    for (const source of projected?.sources ?? []) {
      note(configMaps, source.configMap?.name, source.configMap?.optional);
      note(secrets, source.secret?.name, source.secret?.optional);
      const token = source.serviceAccountToken;
      if (token) {
        tokens.push({
          volume: name,
          path: token.path,
          audience: token.audience ?? '',
          expirationSeconds: token.expirationSeconds ?? defaultTokenExpirationSeconds,
        });
      }
    }
  };

  const { initContainers = [], containers: main = [], ephemeralContainers = [] } = pod.spec ?? {};
  const containers: readonly Container[] = [...initContainers, ...main, ...ephemeralContainers];
  for (const container of containers) {
    container.envFrom?.forEach(envFrom);
    container.env?.forEach(env);
  }
  pod.spec?.volumes?.forEach(volume);
  for (const secret of pod.spec?.imagePullSecrets ?? []) note(secrets, secret.name, true);

  const claims = [...new Set(claimVolumes(pod).map(({ name }) => name))];
  return { configMaps: objects(configMaps), secrets: objects(secrets), claims, tokens };
}

/** The objects themselves. */
export function objectsOf(
  { configMaps, secrets }: PodReferences,
  sources: { configMap(name: string): ConfigMap | undefined; secret(name: string): Secret | undefined },
): ReferencedObjects {
  return {
    configMaps: found(configMaps, (name) => sources.configMap(name)),
    secrets: found(secrets, (name) => sources.secret(name)),
  };
}

/** Whose changes reach a pod that runs. */
export interface Following {
  readonly volumeUpdates?: boolean;
  readonly pullSecretUpdates?: boolean;
}

/** The references whose changes reach the pod while it runs; a claim is not one of them. */
export function followingReferencesOf(pod: Pod, { volumeUpdates, pullSecretUpdates }: Following): PodReferences {
  const { volumes = [], imagePullSecrets = [] } = pod.spec ?? {};
  const spec = {
    containers: [],
    ...(volumeUpdates === true && { volumes }),
    ...(pullSecretUpdates === true && { imagePullSecrets }),
  };
  return { ...referencesOf({ ...pod, spec }), claims: [] };
}

/** Does something of the pod follow changes in the cluster? */
export function followsChanges({ spec }: Pod, { volumeUpdates, pullSecretUpdates }: Following): boolean {
  if (pullSecretUpdates === true && (spec?.imagePullSecrets?.length ?? 0) > 0) return true;
  if (volumeUpdates !== true) return false;
  return spec?.volumes?.some(({ configMap, secret, projected }) => configMap ?? secret ?? projected) ?? false;
}

/** Volumes that hold ConfigMaps and Secrets which people edit, so not what the API server mounts for itself. */
export function volumesOfObjects({ spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ name, configMap, secret, projected }) => {
    const holds = configMap ?? secret ?? projected?.sources?.find((source) => source.configMap ?? source.secret);
    return holds === undefined || name.startsWith(accessVolumePrefix) ? [] : [name];
  });
}

function note(map: Map<string, boolean>, name: string | undefined, optional: boolean | undefined): void {
  if (name) map.set(name, (map.get(name) ?? true) && optional === true);
}

function objects(map: ReadonlyMap<string, boolean>): ReferencedObject[] {
  return Array.from(map, ([name, optional]) => ({ name, optional }));
}

function found<T>(references: readonly ReferencedObject[], read: (name: string) => T | undefined): Map<string, T> {
  const entries = references.flatMap(({ name }) => {
    const object = read(name);
    return object === undefined ? [] : [[name, object] as const];
  });
  return new Map(entries);
}
