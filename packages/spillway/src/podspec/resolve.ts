import type { Pod } from '@spillway/kube';
import { type BoundClaim, claimStateOf, claimVolumes, type UnboundClaim } from './claims.ts';
import { type DnsConfig, resolveDns } from './dns.ts';
import { type EnvVarTemplate, resolveEnvironment } from './env.ts';
import type { RegistryCredential } from './images.ts';
import { type MissingReference, missingForContainer, missingForVolume } from './missing.ts';
import type { Notice } from './notice.ts';
import { objectsOf, type ReferencedObjects, referencesOf } from './references.ts';
import { credentialsOf } from './registry-credentials.ts';
import { containersOf, ephemeralContainersOf } from './containers.ts';
import type { WorkloadFacts, WorkloadSources } from './workload-sources.ts';
import { serviceVariables } from './service-links.ts';
import { type ResolvedVolume, resolveVolume } from './volumes.ts';
import { sentences } from './words.ts';

export type { MissingReference } from './missing.ts';

/** The parts of a workload that come from the cluster: `{ ref, pod, ...parts }` is a backend's `Workload`. */
export interface WorkloadParts {
  readonly environment: ReadonlyMap<string, readonly EnvVarTemplate[]>;
  readonly volumes: ReadonlyMap<string, ResolvedVolume>;
  /** What {@link environment}, {@link volumes} and {@link registryCredentials} were made from. */
  readonly objects: ReferencedObjects;
  /** By name of the claim, as far as they are bound. */
  readonly claims: ReadonlyMap<string, BoundClaim>;
  readonly registryCredentials: readonly RegistryCredential[];
  readonly dns?: DnsConfig;
  /** E.g. `cluster.local`, for fully qualified host names. */
  readonly clusterDomain: string;
  readonly hostIPs: readonly string[];
}

export type Resolution =
  | { readonly ok: true; readonly workload: WorkloadParts; readonly notices: readonly Notice[] }
  | { readonly ok: false; readonly missing: readonly MissingReference[] };

/**
 * Resolves everything in the pod's spec that needs the cluster. Pure: the same arguments give the same answer.
 * All that is missing is reported at once, volumes first, as the kubelet meets them.
 */
export function resolveWorkload(pod: Pod, sources: WorkloadSources, facts: WorkloadFacts): Resolution {
  const { missing, workload, notices } = resolvePresent(pod, sources, facts);
  return missing.length > 0 ? { ok: false, missing } : { ok: true, workload, notices };
}

/** What there is of it: a pod that runs needs no variable any more. */
export function resolvePresent(
  pod: Pod,
  sources: WorkloadSources,
  facts: WorkloadFacts,
): {
  readonly workload: WorkloadParts;
  readonly missing: readonly MissingReference[];
  readonly notices: readonly Notice[];
} {
  const { volumes, missing: missingForVolumes } = resolveVolumes(pod, sources, facts);
  const { namespace = '' } = pod.metadata ?? {};
  const claims = claimVolumes(pod).map(({ name, volume }) => ({
    volume,
    state: claimStateOf(namespace, name, sources.claims),
  }));
  const bound = claims.flatMap(({ state }) => (state.kind === 'bound' ? [state] : []));
  const unbound = claims.flatMap(({ state, volume }) =>
    state.kind === 'unbound' ? [missingClaim(state, volume)] : [],
  );
  const missing: MissingReference[] = [...missingForVolumes, ...unbound];
  const notices: Notice[] = [];

  const environment = new Map<string, readonly EnvVarTemplate[]>();
  const services = serviceVariables(pod, sources.services);
  for (const { container, fieldPath } of [...containersOf(pod), ...ephemeralContainersOf(pod)]) {
    const resolved = resolveEnvironment(pod, container, sources, facts, services);
    environment.set(container.name, resolved.variables);
    missing.push(...resolved.lacking.map((lack) => missingForContainer(lack, container.name, fieldPath)));
    notices.push(...resolved.notices.map((notice) => ({ ...notice, fieldPath })));
  }

  const registryCredentials = pullCredentials(pod, sources, notices);
  const dns = resolveDns(pod, facts.dns);
  notices.push(...dns.notices);
  return {
    workload: {
      environment,
      volumes,
      objects: objectsOf(referencesOf(pod), sources),
      claims: new Map(bound.map((claim) => [claim.name, claim])),
      registryCredentials,
      ...(dns.config && { dns: dns.config }),
      clusterDomain: facts.dns.clusterDomain,
      hostIPs: facts.hostIPs,
    },
    missing,
    notices,
  };
}

export interface VolumesResolution {
  readonly volumes: ReadonlyMap<string, ResolvedVolume>;
  readonly missing: readonly MissingReference[];
}

/** The pod's volumes alone. Pure, as {@link resolveWorkload}, whose volumes are the same. */
export function resolveVolumes(
  pod: Pod,
  sources: WorkloadSources,
  facts: Pick<WorkloadFacts, 'allocatable'>,
): VolumesResolution {
  const volumes = new Map<string, ResolvedVolume>();
  const missing: MissingReference[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    const resolution = resolveVolume(pod, volume, sources, facts);
    if (resolution?.ok) volumes.set(volume.name, resolution.volume);
    else missing.push(...(resolution?.lacking ?? []).map((lack) => missingForVolume(lack, volume.name)));
  }
  return { volumes, missing };
}

function missingClaim({ name, message, remedy }: UnboundClaim, volume: string): MissingReference {
  return missingForVolume({ kind: 'claim', name, message: sentences(message, remedy) }, volume);
}

function pullCredentials(pod: Pod, sources: WorkloadSources, notices: Notice[]): RegistryCredential[] {
  const unusable: string[] = [];
  const credentials = (pod.spec?.imagePullSecrets ?? []).flatMap(({ name = '' }) => {
    const secret = sources.secret(name);
    const read = secret && credentialsOf(secret);
    if (read?.ok) return read.credentials;
    unusable.push(read ? `${name} (${read.error})` : name);
    return [];
  });
  if (unusable.length > 0) {
    notices.push({
      severity: 'Warning',
      reason: 'FailedToRetrieveImagePullSecret',
      message: `Unable to retrieve some image pull secrets (${unusable.join(', ')}); attempting to pull the image may not succeed.`,
    });
  }
  return credentials;
}
