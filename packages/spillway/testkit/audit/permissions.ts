import type { KubeObject, PolicyRule, RoleRef, Subject } from '@spillway/kube';

/** One thing that somebody may do, as the smallest unit of a rule of RBAC. */
export interface Permission {
  /** The role that grants it: `ClusterRole spillway-controller`. */
  readonly role: string;
  /** As the API server names who asks: `system:serviceaccount:NAMESPACE:NAME`, or the name of a user. */
  readonly user: string;
  readonly verb: string;
  readonly apiGroup: string;
  /** With its subresource: `pods/log`. */
  readonly resource: string;
  /** Of the object. Absent: any. */
  readonly name: string | undefined;
  /** Absent: everywhere. */
  readonly namespace: string | undefined;
}

type Granting = KubeObject & {
  readonly rules?: readonly PolicyRule[];
  readonly roleRef?: RoleRef;
  readonly subjects?: readonly Subject[];
};

/** @param objects roles and bindings, among others. @throws Error when a role that is bound is not among them */
export function permissionsOf(objects: readonly KubeObject[]): readonly Permission[] {
  const granting: readonly Granting[] = objects;
  const roles = new Map(granting.filter(({ rules }) => rules !== undefined).map((role) => [keyOf(role), role]));
  return granting.flatMap(({ roleRef, subjects = [], metadata }) => {
    if (roleRef === undefined) return [];
    const namespace = metadata?.namespace;
    const of = roleRef.kind === 'Role' ? namespace : undefined;
    const key = keyOf({
      kind: roleRef.kind,
      metadata: { name: roleRef.name, ...(of !== undefined && { namespace: of }) },
    });
    const role = roles.get(key);
    if (role === undefined) throw new Error(`no ${key} among the roles`);
    const users = subjects.map((subject) => userOf(subject, namespace));
    return users.flatMap((user) =>
      (role.rules ?? []).flatMap((rule) => unitsOf(rule).map((unit) => ({ ...unit, role: key, user, namespace }))),
    );
  });
}

const keyOf = ({ kind = '', metadata }: KubeObject): string =>
  [kind, [metadata?.namespace, metadata?.name].filter((part) => part !== undefined).join('/')].join(' ');

const userOf = ({ kind, name, namespace }: Subject, ofBinding: string | undefined): string =>
  kind === 'ServiceAccount' ? `system:serviceaccount:${namespace ?? ofBinding ?? ''}:${name}` : name;

const unitsOf = ({
  apiGroups = [],
  resources = [],
  resourceNames,
  verbs,
}: PolicyRule): Pick<Permission, 'verb' | 'apiGroup' | 'resource' | 'name'>[] =>
  apiGroups.flatMap((apiGroup) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) =>
        (resourceNames?.length ? resourceNames : [undefined]).map((name) => ({ verb, apiGroup, resource, name })),
      ),
    ),
  );
