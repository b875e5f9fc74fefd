import {
  clusterRoleBindings,
  clusterRoles,
  type KubeObject,
  nameOf,
  type ResourceType,
  secrets,
  type Subject,
} from '@spillway/kube';
import { secretName } from '../admission/authority-secret.ts';
import { type Config, placementLeaseName, poolLeaseName } from '../config/config.ts';
import { linkSecretName } from '../link/secret-name.ts';
import { scheduleProfileCrd } from '../placement/rules/schedule-profile-crd.ts';
import { scheduleProfiles } from '../placement/rules/schedule-profile.ts';
import { coreRule, type Granted, granted, nodeAgentRights, type Right } from './grant.ts';
import { filesSecretName } from './installation/secret-mounts.ts';
import { admissionTypes, namespacesOf, rightTypes, typeOf, workloadTypes } from './object-types.ts';

export interface RemovalRightsOptions {
  /** Of the installation, as its pods get it. */
  readonly config: Config;
  /** Of the installation, and of the account. */
  readonly namespace: string;
  /** What the installation has in the cluster. */
  readonly objects: readonly KubeObject[];
  readonly keepCrds: boolean;
  /** Of the account and of its roles. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const nodeLeases = 'kube-node-lease';

/**
 * What `spillway uninstall --helm-hook` may do: look at what an installation can have, and remove what this one has, by its names. Those
 * of pods cannot be known, nor can a rule say on which node they are.
 */
export function removalRights(options: RemovalRightsOptions): readonly Granted[] {
  const { config, namespace, objects, name, labels, annotations } = options;
  const to: Subject[] = [{ kind: 'ServiceAccount', name, namespace }];
  const places = new Set(objects.map(({ metadata }) => metadata?.namespace).filter((place) => place !== undefined));
  const rights = new Map<string | undefined, readonly Right[]>([
    [undefined, [...clusterRights(options), ...deletions(objects, undefined)]],
    ...Array.from(places, (place): [string, readonly Right[]] => [
      place,
      [...listings(place, namespace), ...deletions(objects, place), ...(place === namespace ? ownRights(config) : [])],
    ]),
    [
      nodeLeases,
      [
        leaseRight(
          'that say who serves',
          config.pools.map(({ nodeName }) => nodeName),
        ),
      ],
    ],
  ]);
  return Array.from(rights, ([place, found]) =>
    granted({
      name,
      labels,
      annotations,
      rights: found,
      to,
      ...(place !== undefined && { namespace: place }),
    }),
  ).flat();
}

function clusterRights({ config, keepCrds }: RemovalRightsOptions): readonly Right[] {
  const nodeNames = config.pools.map(({ nodeName }) => nodeName);
  const definition = { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'] };
  const [profileGroup = ''] = scheduleProfiles.apiVersion.split('/');
  const profiles = { apiGroups: [profileGroup], resources: [scheduleProfiles.plural] };
  const named = { resourceNames: [nameOf(scheduleProfileCrd)] };
  return [
    {
      why: 'know which cluster this is',
      rule: { ...coreRule(['namespaces'], 'get'), resourceNames: ['kube-system'] },
    },
    { why: 'find virtual nodes', rule: coreRule(['nodes'], 'list') },
    {
      why: 'close them, and remove them',
      rule: { ...coreRule(['nodes'], 'get', 'patch', 'delete'), resourceNames: nodeNames },
    },
    {
      why: 'find the pods on them and those that wait for them, end them, lift gates',
      rule: coreRule(['pods'], 'list', 'delete', 'patch'),
    },
    {
      why: 'remove the requests for their serving certificates, whose names the cluster gives',
      rule: {
        apiGroups: ['certificates.k8s.io'],
        resources: ['certificatesigningrequests'],
        verbs: ['list', 'delete'],
      },
    },
    ...nodeAgentRights(nodeNames),
    ...[...admissionTypes, clusterRoles, clusterRoleBindings].map(listing),
    { why: 'see whether it is there, and whose', rule: { ...definition, ...named, verbs: ['get'] } },
    { why: 'tell what would go with it', rule: { ...profiles, verbs: ['list'] } },
    ...(keepCrds
      ? []
      : [
          { why: 'remove it with the last installation', rule: { ...definition, ...named, verbs: ['delete'] } },
          { why: 'and those with it', rule: { ...profiles, verbs: ['delete'] } },
        ]),
  ];
}

const listing = (type: ResourceType<KubeObject>): Right => ({
  why: 'find what is labelled as of the installation',
  rule: { apiGroups: [groupOf(type)], resources: [type.plural], verbs: ['list'] },
});

const listings = (place: string, namespace: string): readonly Right[] =>
  [...workloadTypes, ...rightTypes]
    // Whoever may list Secrets may read them all.
    .filter((type) => type !== secrets && namespacesOf(type, namespace).includes(place))
    .map(listing);

/** By name: of whatever else there is of the kind, nothing can be removed. */
function deletions(objects: readonly KubeObject[], place: string | undefined): readonly Right[] {
  const here = objects.filter(
    ({ kind, metadata }) =>
      metadata?.namespace === place && kind !== 'CustomResourceDefinition' && kind !== 'Namespace',
  );
  const byName = Map.groupBy(here, (object) => `${groupOf(typeOf(object))}/${nameOf(object)}`);
  return Array.from(byName.values(), (same) => ({
    why: 'remove what is labelled as of the installation',
    rule: {
      apiGroups: same.slice(0, 1).map((object) => groupOf(typeOf(object))),
      resources: same.map((object) => typeOf(object).plural),
      resourceNames: same.slice(0, 1).map(nameOf),
      verbs: ['delete'],
    },
  }));
}

/** In the namespace of the installation. */
function ownRights({ name, leaderElection, pools }: Config): readonly Right[] {
  const leases = [...pools.map((pool) => poolLeaseName(leaderElection, pool)), placementLeaseName(leaderElection)];
  return [
    {
      why: 'stop the process',
      rule: { apiGroups: ['apps'], resources: ['deployments'], resourceNames: [name], verbs: ['patch'] },
    },
    leaseRight('by which replicas have agreed, and by which a removal keeps them away', leases, 'update'),
    // The name of an object that does not exist yet cannot be restricted.
    {
      why: 'keep a replica away that has never served',
      rule: { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    },
    {
      why: 'remove what the process has made, and what "spillway install" has brought before Helm took over',
      rule: {
        ...coreRule(['secrets'], 'get', 'delete'),
        resourceNames: [secretName(name), linkSecretName(name), filesSecretName(name)],
      },
    },
  ];
}

const leaseRight = (why: string, resourceNames: readonly string[], ...more: readonly string[]): Right => ({
  why,
  rule: {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    resourceNames: [...resourceNames],
    verbs: ['get', 'delete', ...more],
  },
});

const groupOf = ({ apiVersion }: ResourceType<KubeObject>): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
