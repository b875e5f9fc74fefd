import type { Binding, Pod } from '@spillway/kube';
import { burstDeletionCost, burstPolicyAnnotation, deletionCostAnnotation } from '../../podspec/contract.ts';
import type { PodPolicy } from './pod-policy.ts';

export interface BindingOptions {
  readonly nodeName: string;
  readonly policy: PodPolicy;
  /** Default: burst pods go first. */
  readonly deletionCost?: number | undefined;
}

/**
 * Binds exactly this version of the pod: of the UID and resource version that we looked at, else the API server answers
 * 409. Annotations of a Binding replace those of the pod, so what the user may have set is left out when it is there, and
 * the resource version keeps it from coming meanwhile.
 */
export function bindingOf({ metadata }: Pod, { nodeName, policy, deletionCost }: BindingOptions): Binding {
  const { namespace, name, uid, resourceVersion } = metadata ?? {};
  const costs = metadata?.annotations?.[deletionCostAnnotation] !== undefined;
  return {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      annotations: {
        ...(costs ? {} : { [deletionCostAnnotation]: String(deletionCost ?? burstDeletionCost) }),
        [burstPolicyAnnotation]: `${policy.value} (${policy.source})`,
      },
    },
    target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
  };
}
