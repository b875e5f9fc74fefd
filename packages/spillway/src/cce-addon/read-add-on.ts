import {
  customResourceDefinitions,
  deployments,
  isNotFound,
  type KubeClient,
  type KubeObject,
  type ListOptions,
  mutatingWebhookConfigurations,
  nameOf,
  nodes,
  pods,
  type ResourceType,
  statefulSets,
  validatingWebhookConfigurations,
} from '@spillway/kube';
import { scheduleProfiles } from '../placement/rules/schedule-profile.ts';
import type { AddOn } from './add-on.ts';
import { addOnNamespace, isAddOnDefinition, isAddOnDeployment, isAddOnNode, isAddOnWebhook } from './marks.ts';

const extensionProfiles: ResourceType<KubeObject> = {
  apiVersion: 'bursting.cci.io/v1',
  kind: 'ExtensionProfile',
  plural: 'extensionprofiles',
  namespaced: true,
};
const clusterExtensionProfiles: ResourceType<KubeObject> = {
  apiVersion: 'bursting.cci.io/v1',
  kind: 'ClusterExtensionProfile',
  plural: 'clusterextensionprofiles',
  namespaced: false,
};

/** @throws ApiError, TransportError */
export async function readAddOn(client: Pick<KubeClient, 'resource'>, signal: AbortSignal): Promise<AddOn> {
  const list = async <T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<T[]> => {
    const found: T[] = [];
    try {
      for await (const { items } of client.resource(type).pages({ ...options, signal })) found.push(...items);
    } catch (error) {
      // The cluster has no such kind.
      if (!isNotFound(error)) throw error;
    }
    return found;
  };
  const [inSystem, mutating, validating, allNodes, definitions, profiles, ...extensions] = await Promise.all([
    list(deployments, { namespace: addOnNamespace }),
    list(mutatingWebhookConfigurations),
    list(validatingWebhookConfigurations),
    list(nodes),
    list(customResourceDefinitions),
    list(scheduleProfiles),
    list(extensionProfiles),
    list(clusterExtensionProfiles),
  ]);
  const own = allNodes.filter(isAddOnNode);
  const onThem = await Promise.all(own.map((node) => list(pods, { fieldSelector: `spec.nodeName=${nameOf(node)}` })));
  return {
    deployments: inSystem.filter(isAddOnDeployment),
    webhooks: [...mutating, ...validating].filter(isAddOnWebhook),
    nodes: own,
    pods: onThem.flat(),
    workloads: own.length === 0 ? [] : [...(await list(deployments)), ...(await list(statefulSets))],
    definitions: definitions.filter(isAddOnDefinition),
    profiles,
    extensions: extensions.flat(),
  };
}
