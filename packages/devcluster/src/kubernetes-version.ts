import { DevClusterError } from './errors.ts';

export const kubernetesVersions = ['1.37.2', '1.36.3', '1.28.15'] as const;

export type KubernetesVersion = (typeof kubernetesVersions)[number];

/** A folder under tools/ whose go.mod pins a version. */
export type KubernetesModule = 'kubernetes' | 'kubernetes-1.36' | 'kubernetes-1.28';

export const kubernetesModules: Readonly<Record<KubernetesVersion, KubernetesModule>> = {
  '1.37.2': 'kubernetes',
  '1.36.3': 'kubernetes-1.36',
  '1.28.15': 'kubernetes-1.28',
};

export const defaultKubernetesVersion: KubernetesVersion = '1.37.2';
/** The oldest minor that Spillway supports. */
export const oldestKubernetesVersion: KubernetesVersion = '1.28.15';

/** @param wanted a version or a minor of it: `1.28.15`, `1.28`; default: the newest that is known */
export function knownKubernetesVersion(wanted: string | undefined): KubernetesVersion {
  if (wanted === undefined) return defaultKubernetesVersion;
  const plain = wanted.replace(/^v/, '');
  const found = kubernetesVersions.find((version) => version === plain || version.startsWith(`${plain}.`));
  if (found !== undefined) return found;
  throw new DevClusterError(
    'invalid',
    `no cluster can have Kubernetes "${wanted}"; there are ${kubernetesVersions.join(', ')}`,
  );
}

/** What differs between the versions for those who use a cluster. */
export interface KubernetesAbilities {
  /** Nodes: a kubelet and kube-proxy of the oldest version are not built. */
  readonly containers: boolean;
  /** Serves ValidatingAdmissionPolicy v1. */
  readonly validatingPolicies: boolean;
  /** Serves MutatingAdmissionPolicy v1. */
  readonly mutatingPolicies: boolean;
  /** Counts the generations of pods. */
  readonly podGenerations: boolean;
}

export function abilitiesOf(version: KubernetesVersion): KubernetesAbilities {
  const [, minor = 0] = version.split('.').map(Number);
  return {
    containers: version !== oldestKubernetesVersion,
    validatingPolicies: minor >= 30,
    mutatingPolicies: minor >= 36,
    podGenerations: minor >= 34,
  };
}
