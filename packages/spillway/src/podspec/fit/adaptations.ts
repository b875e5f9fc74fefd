import type { Pod } from '@spillway/kube';
import { accessVolumePrefix } from '../references.ts';
import { podResources } from '../resources.ts';
import type { Reason } from '../review/refusal.ts';
import { formatMemory } from '../sizing/size.ts';
import { ephemeralStorage } from './disk.ts';
import type { Support } from './support.ts';

/** What a pod does not get as it was written, and runs all the same. People are told when they apply it, and on the pod. */
export interface Adaptation extends Reason {
  /** In upper camel case, as the reason of an event. */
  readonly code: 'NoAccessToken' | 'OwnDisk';
  readonly severity: 'Normal' | 'Warning';
}

export function adaptationsOf(pod: Pod, support: Pick<Support, 'accessToken' | 'diskBytes'>): readonly Adaptation[] {
  return [
    ...(!support.accessToken && mountsAccessToken(pod) ? [noAccessToken] : []),
    ...(support.diskBytes !== undefined && asksForDisk(pod) ? [ownDisk(support.diskBytes)] : []),
  ];
}

const noAccessToken: Adaptation = {
  code: 'NoAccessToken',
  severity: 'Warning',
  field: 'spec.automountServiceAccountToken',
  message: 'the pod does not get the service account token that Kubernetes mounts, and cannot call the API server',
  remedy:
    'If it does not need the token, set automountServiceAccountToken: false. If it does, run it on a node of the cluster.',
};

function ownDisk(bytes: bigint): Adaptation {
  return {
    code: 'OwnDisk',
    severity: 'Normal',
    field: 'spec.containers',
    message: `requests and limits of ${ephemeralStorage} have no effect, because each pod has a disk of its own`,
    remedy: `The disk has ${formatMemory(bytes)}. A pod that needs more can use a volume, or run on a node of the cluster.`,
  };
}

/**
 * A pod that was created has the volume with it, if any. A template does not say what the service account thinks of it, so that
 * only its own word is known.
 */
function mountsAccessToken({ metadata, spec }: Pod): boolean {
  const volumes = spec?.volumes ?? [];
  const wasCreated = metadata?.uid !== undefined;
  if (!wasCreated) return spec?.automountServiceAccountToken !== false;
  return volumes.some(({ name }) => name.startsWith(accessVolumePrefix));
}

function asksForDisk(pod: Pod): boolean {
  return (['requests', 'limits'] as const).some((kind) => (podResources(pod, kind).get(ephemeralStorage) ?? 0n) > 0n);
}
