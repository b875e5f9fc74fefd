import {
  type ClusterRole,
  type ClusterRoleBinding,
  clusterRoleBindings,
  clusterRoles,
  isAlreadyExists,
  type KubeClient,
  type PolicyRule,
} from '@spillway/kube';
import { agencyUserName, type Account } from './accounts.ts';
import { groupOf, userOf } from './gateway/adapt.ts';
import { offers, storedGroupVersion } from './rules/routes.ts';

export const gatewayUser = 'cci-gateway';

const tenantRole = 'cci-tenant';

const verbs: Readonly<Record<string, readonly string[]>> = {
  GET: ['get', 'list', 'watch'],
  POST: ['create'],
  PUT: ['update'],
  PATCH: ['patch'],
  DELETE: ['delete', 'deletecollection'],
};

/** The gateway may be any customer and nobody else; a customer may do what the API offers. */
export async function installTenancy(client: KubeClient, accounts: readonly Account[]): Promise<void> {
  const gateway: PolicyRule[] = [
    {
      apiGroups: [''],
      resources: ['users'],
      verbs: ['impersonate'],
      resourceNames: accounts.flatMap(({ domain, users, agencies }) => [
        ...users.map((user) => userOf({ domain, user })),
        ...agencies.map((agency) => userOf({ domain, user: { id: '', name: agencyUserName(agency) } })),
      ]),
    },
    {
      apiGroups: [''],
      resources: ['groups'],
      verbs: ['impersonate'],
      resourceNames: accounts.map(({ project }) => groupOf(project.id)),
    },
  ];
  await install(client, gatewayUser, gateway, [{ kind: 'User', name: gatewayUser }]);
  const groups = accounts.map(({ project }) => ({ kind: 'Group', name: groupOf(project.id) }));
  await install(client, tenantRole, tenantRules(), groups);
}

function tenantRules(): PolicyRule[] {
  return offers.flatMap(({ groupVersion, resource, collection, object, subresources }) => {
    const stored = storedGroupVersion(groupVersion) ?? groupVersion;
    const apiGroups = [stored.includes('/') ? (stored.split('/')[0] ?? '') : ''];
    return [
      { apiGroups, resources: [resource], verbs: verbsOf([...collection, ...object]) },
      ...Object.entries(subresources).map(([name, methods]) => ({
        apiGroups,
        resources: [`${resource}/${name}`],
        verbs: verbsOf(methods),
      })),
    ];
  });
}

function verbsOf(methods: readonly string[]): string[] {
  return [...new Set(methods.flatMap((method) => verbs[method] ?? []))];
}

async function install(
  client: KubeClient,
  name: string,
  rules: PolicyRule[],
  subjects: readonly { kind: string; name: string }[],
): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  const metadata = { name };
  await unlessThere(client.resource(clusterRoles).create<ClusterRole>({ metadata, rules }));
  await unlessThere(
    client.resource(clusterRoleBindings).create<ClusterRoleBinding>({
      metadata,
      roleRef: { apiGroup, kind: 'ClusterRole', name },
      subjects: subjects.map((subject) => ({ ...subject, apiGroup })),
    }),
  );
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
