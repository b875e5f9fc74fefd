import type { Binding, Pod } from '@spillway/kube';
import { burstPolicyAnnotation, deletionCostAnnotation } from '../../podspec/contract.ts';
import { deletionCostToWrite } from '../profiles/side.ts';
import type { ScheduleProfileSpec } from '../rules/schedule-profile.ts';
import type { PodPolicy } from './pod-policy.ts';

export interface BindingOptions {
  readonly nodeName: string;
  readonly policy: PodPolicy;
  readonly location?: ScheduleProfileSpec['location'];
}

/**
 * Binds exactly this version of the pod: of the UID and resource version that we looked at, else the API server answers
 * 409. Annotations of a Binding replace those of the pod, so what the user may have set is left out when it is there, and
 * the resource version keeps it from coming meanwhile.
 */
export function bindingOf(pod: Pod, { nodeName, policy, location }: BindingOptions): Binding {
  const { namespace, name, uid, resourceVersion } = pod.metadata ?? {};
  const cost = deletionCostToWrite(pod, 'cci', location);
  return {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      annotations: {
        ...(cost === undefined ? {} : { [deletionCostAnnotation]: cost }),
        [burstPolicyAnnotation]: `${policy.value} (${policy.source})`,
      },
    },
    target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
  };
}
