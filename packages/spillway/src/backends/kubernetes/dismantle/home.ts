import { type KubeClient, type KubeObject, namespacedTypes, namespaces, type ResourceType } from '@spillway/kube';
import { isUsual } from '../../../podspec/usual-objects.ts';

/** Where the pods of a backend are: the namespace, and what is in one besides pods and their copies. */
export interface Home {
  readonly namespaces: ResourceType<KubeObject>;
  /** All that there can be in it. */
  kinds(client: KubeClient, signal: AbortSignal): Promise<readonly ResourceType<KubeObject>[]>;
  /** Made by `prepare`. */
  isPrepared(object: KubeObject): boolean;
  /** Every namespace has it by itself. */
  isUsual(object: KubeObject): boolean;
}

export const kubernetesHome: Home = { namespaces, kinds: namespacedTypes, isPrepared: () => false, isUsual };
