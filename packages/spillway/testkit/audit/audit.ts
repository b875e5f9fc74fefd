import { parseJson } from '../../src/backends/trusted.ts';
import type { Permission } from './permissions.ts';

/** What the API server writes of each request, as far as it matters here: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ */
export interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username?: string };
  readonly impersonatedUser?: { readonly username?: string; readonly groups?: readonly string[] };
  /** Absent: the request is for no object, as `/version`. */
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly apiGroup?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  /** Only from the level `Request` on. */
  readonly requestObject?: { readonly spec?: { readonly audiences?: readonly string[]; readonly signerName?: string } };
  readonly responseStatus?: { readonly code?: number; readonly message?: string };
}

/** What has come of the permissions of some accounts, each with a line for people. */
export interface Findings {
  /**
   * Requests that were refused: there is no right for them, or a policy is against them. One of a node that is let through when it is
   * asked again came too early, and does not count.
   */
  readonly denied: readonly string[];
  /** What was granted and nobody has needed. */
  readonly unused: readonly string[];
}

/** Events are written one a line. */
export const auditEvents = (log: string): readonly AuditEvent[] =>
  log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parseJson<AuditEvent>(line));

/** The policy under which the API server writes what `auditFindings` looks at, of these users alone. */
export const auditPolicy = (users: readonly string[]): object => ({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'Request',
      users,
      resources: [
        // What they contain decides about further rights; secrets are only in the answers.
        { group: '', resources: ['serviceaccounts/token'] },
        { group: 'certificates.k8s.io', resources: ['certificatesigningrequests/approval'] },
      ],
    },
    { level: 'Metadata', users },
    { level: 'None' },
  ],
});

/** @param events of everybody. @param permissions of those whose requests count, in whose name they may make them included */
export function auditFindings(events: readonly AuditEvent[], permissions: readonly Permission[]): Findings {
  const users = new Set(permissions.map(({ user }) => user));
  const own = events.filter(({ user: { username = '' } }) => users.has(username));
  const letThrough = new Set(own.filter((event) => !isRefused(event)).map(wishOf));
  const denied = own
    .filter((event) => isRefused(event) && !(isEarly(event) && letThrough.has(wishOf(event))))
    .map(deniedLine);
  const needed = new Map(
    own
      .filter((event) => !isRefused(event))
      .flatMap(needsOf)
      .map((need) => [JSON.stringify(need), need]),
  );
  const needs = [...needed.values()];
  return {
    denied: [...new Set(denied)].toSorted(),
    unused: permissions
      .filter((permission) => !needs.some((need) => covers(permission, need)))
      .map(permissionLine)
      .toSorted(),
  };
}

/** A request that failed for another reason was authorized all the same: its object is missing, or has changed. */
const isRefused = ({ responseStatus }: AuditEvent): boolean => responseStatus?.code === 403;

/** The API server's authorizer of nodes, and its admission of tokens, learn of a binding a moment after watches have told it. */
const isEarly = ({ responseStatus }: AuditEvent): boolean =>
  /no relationship found between node|bound to a pod scheduled on a different node/.test(responseStatus?.message ?? '');

type Need = Pick<Permission, 'user' | 'verb' | 'apiGroup' | 'resource' | 'name' | 'namespace'>;

/** What the API server asks its authorizers about for a request. */
function needsOf({ user, impersonatedUser, verb, objectRef, requestObject }: AuditEvent): Need[] {
  const { username = '' } = user;
  const { username: as, groups = [] } = impersonatedUser ?? {};
  const impersonation = (resource: string, name: string): Need => ({
    user: username,
    verb: 'impersonate',
    apiGroup: '',
    resource,
    name,
    namespace: undefined,
  });
  const acting =
    as === undefined ? [] : [impersonation('users', as), ...groups.map((group) => impersonation('groups', group))];
  if (objectRef === undefined) return acting;
  const { apiGroup = '', resource = '', subresource, name, namespace } = objectRef;
  const need = {
    user: as ?? username,
    verb,
    apiGroup,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    name,
    namespace,
  };
  const { audiences = [], signerName } = requestObject?.spec ?? {};
  return [
    ...acting,
    need,
    // Admission asks for these: NodeRestriction and CertificateApproval.
    ...(need.resource === 'serviceaccounts/token'
      ? audiences.map((audience) => ({ ...need, verb: 'request-serviceaccounts-token-audience', resource: audience }))
      : []),
    ...(need.resource === 'certificatesigningrequests/approval' && signerName !== undefined
      ? [{ ...need, verb: 'approve', resource: 'signers', name: signerName }]
      : []),
  ];
}

const covers = (permission: Permission, need: Need): boolean =>
  permission.user === need.user &&
  matches(permission.verb, need.verb) &&
  matches(permission.apiGroup, need.apiGroup) &&
  matches(permission.resource, need.resource) &&
  (permission.name === undefined || permission.name === need.name) &&
  (permission.namespace === undefined || permission.namespace === need.namespace);

const matches = (granted: string, needed: string): boolean => granted === '*' || granted === needed;

const whoAsks = ({ user, impersonatedUser }: AuditEvent): string => impersonatedUser?.username ?? user.username ?? '';

/** The same for a request that is made again, and begins a watch elsewhere. */
function wishOf(event: AuditEvent): string {
  const { verb, requestURI, objectRef } = event;
  const { apiGroup, resource, subresource, namespace, name } = objectRef ?? {};
  const on = objectRef === undefined ? [requestURI] : [apiGroup, resource, subresource, namespace, name];
  return [whoAsks(event), verb, ...on].join('\n');
}

const deniedLine = (event: AuditEvent): string =>
  `${whoAsks(event)}: ${event.verb} ${event.requestURI}: ${event.responseStatus?.message ?? ''}`;

function permissionLine({ role, verb, apiGroup, resource, name, namespace }: Permission): string {
  const what = apiGroup === '' ? resource : `${resource}.${apiGroup}`;
  const where = namespace === undefined ? '' : ` in ${namespace}`;
  return `${role}: ${verb} ${what}${name === undefined ? '' : ` ${name}`}${where}`;
}
