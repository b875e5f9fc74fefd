// What differs between the two generations of CCI's API, as data. CCI 1.0 is Kubernetes-shaped under /api/v1, CCI 2.0 has
// groups of its own.

export interface CciDialect {
  readonly apiVersion: 'v1' | 'v2';
  /** Start of the namespace's name; the cluster's ID follows */
  readonly namespacePrefix: string;
  readonly namespace: ObjectDialect;
  readonly network: ObjectDialect & {
    readonly annotations: (network: NetworkSettings) => Readonly<Record<string, string>>;
    readonly spec: (network: NetworkSettings) => object;
    /** Of an object as it was read */
    readonly subnetOf: (spec: Readonly<Record<string, unknown>>) => string | undefined;
    readonly stateField: 'state' | 'status';
    readonly ready: string;
    readonly failed: readonly string[];
  };
  /** The service authorization; absent: not part of the API */
  readonly agencyPath: string;
  /** All that a namespace can have, as far as it is documented: API version, kind, plural */
  readonly kinds: readonly (readonly [apiVersion: string, kind: string, plural: string])[];
  /** Of pods, ConfigMaps, Secrets and events */
  readonly podApiVersion: string;
  readonly lacks: MissingFeatures;
}

interface ObjectDialect {
  readonly apiVersion: string;
  readonly kind: string;
  /** Of the collection; "{namespace}" is replaced */
  readonly path: string;
  readonly fixedAnnotations: Readonly<Record<string, string>>;
}

/** What a Kubernetes API server has, and this API does not */
interface MissingFeatures {
  /** `metrics.k8s.io`, by which pods are measured */
  readonly metrics: boolean;
  /** `sendInitialEvents`: old servers ignore it, and the client waits for ever */
  readonly watchList: boolean;
  readonly serverSideApply: boolean;
  /** Logs take `sinceSeconds` only */
  readonly sinceTime: boolean;
  readonly attach: boolean;
  readonly portForward: boolean;
  readonly ephemeralContainers: boolean;
}

/** The place of the pods in the account's networks. */
export interface NetworkSettings {
  readonly domainId: string;
  readonly projectId: string;
  readonly vpcId: string;
  readonly networkId: string;
  /** Of Neutron, not of the VPC */
  readonly subnetId: string;
  readonly securityGroupId: string;
  readonly availableZone: string;
  readonly cidr?: string | undefined;
}

const lacks: MissingFeatures = {
  metrics: false,
  watchList: true,
  serverSideApply: true,
  sinceTime: true,
  attach: true,
  portForward: true,
  ephemeralContainers: true,
};

const alpha = 'network.alpha.kubernetes.io';

export const dialects: Readonly<Record<CciDialect['apiVersion'], CciDialect>> = {
  v1: {
    apiVersion: 'v1',
    namespacePrefix: 'cce-burst-',
    namespace: {
      apiVersion: 'v1',
      kind: 'Namespace',
      path: '/api/v1/namespaces',
      fixedAnnotations: { 'namespace.kubernetes.io/flavor': 'general-computing' },
    },
    network: {
      apiVersion: 'networking.cci.io/v1beta1',
      kind: 'Network',
      path: '/apis/networking.cci.io/v1beta1/namespaces/{namespace}/networks',
      fixedAnnotations: {},
      annotations: ({ securityGroupId, domainId, projectId }) => ({
        [`${alpha}/default-security-group`]: securityGroupId,
        // The documents write a hyphen, the vendor's own tools an underscore.
        [`${alpha}/domain-id`]: domainId,
        [`${alpha}/domain_id`]: domainId,
        [`${alpha}/project-id`]: projectId,
        [`${alpha}/project_id`]: projectId,
      }),
      spec: ({ vpcId, networkId, subnetId, availableZone, cidr }) => ({
        attachedVPC: vpcId,
        networkType: 'underlay_neutron',
        networkID: networkId,
        subnetID: subnetId,
        availableZone,
        ...(cidr !== undefined && { cidr }),
      }),
      subnetOf: (spec) => textOf(spec['subnetID']),
      stateField: 'state',
      ready: 'Active',
      failed: [],
    },
    agencyPath: '/v1/agency',
    kinds: [
      ['v1', 'Pod', 'pods'],
      ['v1', 'ConfigMap', 'configmaps'],
      ['v1', 'Secret', 'secrets'],
      ['v1', 'Service', 'services'],
      ['v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'],
      ['apps/v1', 'Deployment', 'deployments'],
      ['apps/v1', 'StatefulSet', 'statefulsets'],
      ['apps/v1', 'ReplicaSet', 'replicasets'],
      ['batch/v1', 'Job', 'jobs'],
      ['networking.cci.io/v1beta1', 'Network', 'networks'],
    ],
    podApiVersion: 'v1',
    lacks,
  },
  v2: {
    apiVersion: 'v2',
    namespacePrefix: 'bursting-',
    namespace: { apiVersion: 'cci/v2', kind: 'Namespace', path: '/apis/cci/v2/namespaces', fixedAnnotations: {} },
    network: {
      apiVersion: 'yangtse/v2',
      kind: 'Network',
      path: '/apis/yangtse/v2/namespaces/{namespace}/networks',
      fixedAnnotations: {},
      annotations: ({ domainId, projectId }) => ({
        'yangtse.io/domain-id': domainId,
        'yangtse.io/project-id': projectId,
      }),
      spec: ({ securityGroupId, subnetId }) => ({
        networkType: 'underlay_neutron',
        securityGroups: [securityGroupId],
        subnets: [{ subnetID: subnetId }],
        ipFamilies: ['IPv4'],
      }),
      subnetOf: ({ subnets }) => {
        const first: unknown = Array.isArray(subnets) ? subnets[0] : undefined;
        return typeof first === 'object' && first !== null && 'subnetID' in first ? textOf(first.subnetID) : undefined;
      },
      stateField: 'status',
      ready: 'Ready',
      failed: ['Failed'],
    },
    agencyPath: '/v1/agency',
    kinds: [
      ['cci/v2', 'Pod', 'pods'],
      ['cci/v2', 'ConfigMap', 'configmaps'],
      ['cci/v2', 'Secret', 'secrets'],
      ['cci/v2', 'Service', 'services'],
      ['cci/v2', 'PersistentVolumeClaim', 'persistentvolumeclaims'],
      ['cci/v2', 'Deployment', 'deployments'],
      ['cci/v2', 'ReplicaSet', 'replicasets'],
      ['cci/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'],
      ['yangtse/v2', 'Network', 'networks'],
    ],
    podApiVersion: 'cci/v2',
    lacks: { ...lacks, metrics: true },
  },
};

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
