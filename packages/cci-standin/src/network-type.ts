import type { CustomResourceDefinition, KubeObject, ResourceType } from '@spillway/kube';

export type NetworkState = 'Initializing' | 'Pending' | 'Active' | 'Terminating';

export interface Network extends KubeObject {
  status?: { state?: NetworkState; message?: string };
}

export const networks: ResourceType<Network> = {
  apiVersion: 'networking.cci.io/v1beta1',
  kind: 'Network',
  plural: 'networks',
  namespaced: true,
};

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

export const networkDefinition: CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'networks.networking.cci.io' },
  spec: {
    group: 'networking.cci.io',
    scope: 'Namespaced',
    names: { kind: 'Network', listKind: 'NetworkList', plural: 'networks', singular: 'network' },
    versions: [
      {
        name: 'v1beta1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: anything, status: anything } } },
      },
    ],
  },
};
