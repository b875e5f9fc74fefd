import type { KubeObject, PolicyRule } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { type AuditEvent, auditEvents, auditFindings, auditPolicy } from './audit.ts';
import { permissionsOf } from './permissions.ts';

const account = 'system:serviceaccount:spillway-system:spillway';
const apiGroup = 'rbac.authorization.k8s.io';

const granted = (rules: readonly PolicyRule[], namespace?: string): KubeObject[] => {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  const metadata = { name: 'burst', ...(namespace !== undefined && { namespace }) };
  const subjects = [{ kind: 'ServiceAccount', name: 'spillway', namespace: 'spillway-system' }];
  const binding = { kind: `${kind}Binding`, metadata, roleRef: { apiGroup, kind, name: 'burst' }, subjects };
  const role = { kind, metadata, rules: [...rules] };
  return [role, binding];
};

const request = (verb: string, objectRef: AuditEvent['objectRef'], more: Partial<AuditEvent> = {}): AuditEvent => ({
  stage: 'ResponseComplete',
  verb,
  requestURI: '/somewhere',
  user: { username: account },
  ...(objectRef && { objectRef }),
  responseStatus: { code: 200 },
  ...more,
});

const unused = (objects: readonly KubeObject[], ...events: readonly AuditEvent[]): readonly string[] =>
  auditFindings(events, permissionsOf(objects)).unused;

const reading: PolicyRule = { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list'] };

describe('the rights that nobody has needed', () => {
  it('are told for each verb, resource and name', () => {
    expect(unused(granted([reading]), request('get', { resource: 'pods', namespace: 'work', name: 'a' }))).toEqual([
      'ClusterRole burst: get nodes',
      'ClusterRole burst: list nodes',
      'ClusterRole burst: list pods',
    ]);
    const named = { apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a', 'b'], verbs: ['patch'] };
    const patch = request('patch', { resource: 'deployments', apiGroup: 'apps', namespace: 'work', name: 'a' });
    expect(unused(granted([named]), patch)).toEqual(['ClusterRole burst: patch deployments.apps b']);
  });

  it('do not become used by a request for a subresource, in another group, or in another namespace', () => {
    const inRole = granted([{ apiGroups: [''], resources: ['pods'], verbs: ['patch'] }], 'work');
    const missed = ['Role work/burst: patch pods in work'];
    expect(unused(inRole, request('patch', { resource: 'pods', subresource: 'status', namespace: 'work' }))).toEqual(
      missed,
    );
    expect(unused(inRole, request('patch', { resource: 'pods', apiGroup: 'x', namespace: 'work' }))).toEqual(missed);
    expect(unused(inRole, request('patch', { resource: 'pods', namespace: 'other' }))).toEqual(missed);
    expect(unused(inRole, request('patch', { resource: 'pods', namespace: 'work' }))).toEqual([]);
  });

  it('do not become used by others, nor by a request that was refused', () => {
    const rights = granted([{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]);
    const list = request('list', { resource: 'pods' });
    expect(unused(rights, { ...list, user: { username: 'admin' } })).toHaveLength(1);
    expect(unused(rights, { ...list, responseStatus: { code: 403 } })).toHaveLength(1);
    expect(unused(rights, { ...list, responseStatus: { code: 404 } })).toEqual([]);
  });

  it('count those of the nodes in whose name the account acts, and that it may act so', () => {
    const impersonation: PolicyRule = {
      apiGroups: [''],
      resources: ['users'],
      resourceNames: ['system:node:a', 'system:node:b'],
      verbs: ['impersonate'],
    };
    const group: PolicyRule = {
      apiGroups: [''],
      resources: ['groups'],
      resourceNames: ['system:nodes'],
      verbs: ['impersonate'],
    };
    const acting = request(
      'patch',
      { resource: 'nodes', subresource: 'status', name: 'a' },
      { impersonatedUser: { username: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] } },
    );
    const own: PolicyRule = { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] };
    expect(unused(granted([impersonation, group, own]), acting)).toEqual([
      'ClusterRole burst: impersonate users system:node:b',
      'ClusterRole burst: patch nodes/status',
    ]);
  });

  it('count those that admission asks for', () => {
    const approval: PolicyRule[] = [
      { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/approval'], verbs: ['update'] },
      {
        apiGroups: ['certificates.k8s.io'],
        resources: ['signers'],
        resourceNames: ['x/serving', 'x/client'],
        verbs: ['approve'],
      },
    ];
    const approve = request(
      'update',
      {
        resource: 'certificatesigningrequests',
        subresource: 'approval',
        apiGroup: 'certificates.k8s.io',
        name: 'csr-1',
      },
      { requestObject: { spec: { signerName: 'x/serving' } } },
    );
    expect(unused(granted(approval), approve)).toEqual([
      'ClusterRole burst: approve signers.certificates.k8s.io x/client',
    ]);
    const audience: PolicyRule = {
      apiGroups: [''],
      resources: ['link', 'vault'],
      verbs: ['request-serviceaccounts-token-audience'],
    };
    const token = request(
      'create',
      { resource: 'serviceaccounts', subresource: 'token', namespace: 'work', name: 'default' },
      { requestObject: { spec: { audiences: ['link'] } } },
    );
    expect(unused(granted([audience]), token)).toEqual([
      'ClusterRole burst: request-serviceaccounts-token-audience vault',
    ]);
  });
});

const refused = (more: Partial<AuditEvent>): readonly string[] => {
  const forbidden = { code: 403, message: 'no' };
  const event = request('get', { resource: 'secrets' }, { responseStatus: forbidden, ...more });
  return auditFindings([event, event], permissionsOf(granted([reading]))).denied;
};

const podRead = (name: string, more: Partial<AuditEvent> = {}): AuditEvent =>
  request('get', { resource: 'pods', namespace: 'work', name }, { requestURI: `/pods/${name}`, ...more });

describe('requests that were refused', () => {
  it('are told once each, with who asked and why not', () => {
    expect(refused({})).toEqual([`${account}: get /somewhere: no`]);
    expect(refused({ impersonatedUser: { username: 'system:node:a' } })).toEqual(['system:node:a: get /somewhere: no']);
  });

  it('a moment too early do not count when they are let through as they are asked again', () => {
    const message = "node: no relationship found between node 'a' and this object";
    const forbidden = { responseStatus: { code: 403, message } };
    const events = [podRead('a', forbidden), podRead('b', forbidden), podRead('a', { requestURI: '/pods/a?again' })];
    expect(auditFindings(events, permissionsOf(granted([reading]))).denied).toEqual([
      `${account}: get /pods/b: ${message}`,
    ]);
    const other = podRead('a', { responseStatus: { code: 403, message: 'a policy is against it' } });
    expect(auditFindings([other, podRead('a')], permissionsOf(granted([reading]))).denied).toEqual([
      `${account}: get /pods/a: a policy is against it`,
    ]);
  });

  it('of others do not count', () => {
    expect(refused({ user: { username: 'admin' } })).toEqual([]);
  });
});

it('a binding to a role that is not known is no permission that could be checked', () => {
  const [, binding = {}] = granted([reading]);
  expect(() => permissionsOf([binding])).toThrow('no ClusterRole burst among the roles');
});

it('a log has an event on each line', () => {
  expect(auditEvents('{"verb":"get"}\n{"verb":"list"}\n').map(({ verb }) => verb)).toEqual(['get', 'list']);
});

it('only requests of these users are written down, and the contents of those alone that decide about further rights', () => {
  const text = JSON.stringify(auditPolicy([account]));
  expect(JSON.parse(text)).toMatchObject({
    omitStages: ['RequestReceived'],
    rules: [
      { level: 'Request', users: [account], resources: [{}, {}] },
      { level: 'Metadata', users: [account] },
      { level: 'None' },
    ],
  });
  expect(text).not.toContain('RequestResponse');
});
