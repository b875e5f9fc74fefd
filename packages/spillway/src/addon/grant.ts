import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from '@spillway/kube';

export const rbacGroup = 'rbac.authorization.k8s.io';

export interface Right {
  /** Why it is needed. */
  readonly why: string;
  readonly rule: PolicyRule;
}

export interface Grant {
  /** Of the role and of its binding. */
  readonly name: string;
  /** Where the rights are granted. Absent: in the whole cluster. */
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly rights: readonly Right[];
  readonly to: readonly Subject[];
}

export type Granted = ClusterRole | ClusterRoleBinding | Role | RoleBinding;

/** The role, and its binding. */
export function granted({ name, namespace, labels, annotations, rights, to }: Grant): readonly Granted[] {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  const metadata = {
    name,
    ...(namespace !== undefined && { namespace }),
    labels: { ...labels },
    ...(annotations && { annotations: { ...annotations } }),
  };
  const apiVersion = `${rbacGroup}/v1`;
  const roleRef = { apiGroup: rbacGroup, kind, name };
  return [
    { apiVersion, kind, metadata, rules: rights.map(({ rule }) => rule) },
    { apiVersion, kind: `${kind}Binding`, metadata, roleRef, subjects: [...to] },
  ];
}

/** Of the core group. */
export const coreRule = (resources: readonly string[], ...verbs: readonly string[]): PolicyRule => ({
  apiGroups: [''],
  resources: [...resources],
  verbs: [...verbs],
});

/** To act in the name of the virtual nodes, and of nobody else. */
export const nodeAgentRights = (nodeNames: readonly string[]): readonly Right[] => [
  {
    why: 'be the virtual nodes, and no other',
    rule: {
      apiGroups: [''],
      resources: ['users'],
      resourceNames: nodeNames.map((name) => `system:node:${name}`),
      verbs: ['impersonate'],
    },
  },
  {
    why: 'in the group that the node authoriser looks after',
    rule: { apiGroups: [''], resources: ['groups'], resourceNames: ['system:nodes'], verbs: ['impersonate'] },
  },
];
