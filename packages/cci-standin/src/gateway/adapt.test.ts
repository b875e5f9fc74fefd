import { expect, test } from 'vitest';
import type { Call } from '../rules/call.ts';
import { findRoute } from '../rules/routes.ts';
import { upstreamBody, upstreamHeaders, upstreamTarget } from './adapt.ts';
import { discoveryOf } from './discovery.ts';

const identity = {
  domain: { id: 'd1', name: 'domain' },
  project: { id: 'p1', name: 'project' },
  user: { id: 'u1', name: 'user' },
};

function call(method: string, target: string, body?: unknown): Call {
  const { pathname, searchParams } = new URL(target, 'https://cci');
  const route = findRoute(method, pathname);
  if ('from' in route) throw new Error(route.message);
  const hasBody = body !== undefined;
  return { method, route, query: searchParams, contentType: '', body, hasBody, identity, hasUserToken: false };
}

function targetOf(target: string): string {
  return upstreamTarget(new URL(target, 'https://cci').pathname, call('GET', target));
}

test('parameters that an old API server does not know are left out, the others keep their order', () => {
  const pods = '/api/v1/namespaces/a/pods';
  expect(targetOf(`${pods}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&labelSelector=a%3Db`)).toBe(
    `${pods}?watch=true&labelSelector=a%3Db`,
  );
  expect(targetOf(`${pods}/p/exec?command=b&command=a&stdin=true`)).toBe(
    `${pods}/p/exec?command=b&command=a&stdin=true`,
  );
  expect(targetOf(`${pods}/p/log?sinceTime=x&sinceSeconds=1`)).toBe(`${pods}/p/log?sinceSeconds=1`);
});

test('namespaces and volumes are listed for the project', () => {
  const own = 'tenant.kubernetes.io%2Fproject-id%3Dp1';
  const volumes = '/apis/cci/v2/persistentvolumes';
  expect(targetOf(volumes)).toBe(`${volumes}?labelSelector=${own}`);
  expect(targetOf(`${volumes}/v`)).toBe(`${volumes}/v`);
  expect(targetOf('/api/v1/namespaces')).toBe(`/api/v1/namespaces?labelSelector=${own}`);
  expect(targetOf('/api/v1/namespaces?labelSelector=a')).toBe(`/api/v1/namespaces?labelSelector=a%2C${own}`);
});

test('of the headers only harmless ones go on', () => {
  const headers = upstreamHeaders(
    {
      accept: 'application/vnd.kubernetes.protobuf',
      authorization: 'Bearer x',
      cookie: 'a=b',
      'content-type': 'application/json',
      'impersonate-group': 'system:masters',
      'x-auth-token': 'x',
      'x-remote-user': 'admin',
      'x-security-token': 'x',
      connection: 'Upgrade',
    },
    identity,
    'plain',
  );
  expect(headers).toEqual({
    accept: 'application/json',
    'content-type': 'application/json',
    'Impersonate-User': 'cci:domain:user',
    'Impersonate-Group': 'cci:project:p1',
  });
});

test('a client cannot give its namespace to another project', () => {
  const labels = { 'tenant.kubernetes.io/project-id': 'p2', own: 'yes' };
  const body = { metadata: { name: 'a', labels } };
  expect(upstreamBody(call('POST', '/api/v1/namespaces', body), { soldOut: false })).toMatchObject({
    metadata: { name: 'a', labels: { 'tenant.kubernetes.io/project-id': 'p1', own: 'yes' } },
  });
});

test('only pods of a sold-out region get a selector that no node meets', () => {
  const made = call('POST', '/api/v1/namespaces/a/pods', { metadata: { name: 'p' }, spec: { containers: [] } });
  expect(upstreamBody(made, { soldOut: false })).toMatchObject({ spec: { containers: [] } });
  expect(upstreamBody(made, { soldOut: false })).not.toHaveProperty('spec.nodeSelector');
  expect(upstreamBody(made, { soldOut: true })).toHaveProperty('spec.nodeSelector');
});

test('pods, also those that templates describe, request nothing of the node, however they are sent', () => {
  const containers = [{ name: 'a', resources: { limits: { cpu: '1' } } }];
  const body = { metadata: {}, spec: { containers } };
  const pods = '/api/v1/namespaces/a/pods';
  const nothing = { spec: { containers: [{ resources: { requests: { cpu: '0' } } }] } };
  for (const [method, path] of [
    ['POST', pods],
    ['PUT', `${pods}/p`],
    ['POST', '/apis/cci/v2/namespaces/a/pods'],
  ] as const) {
    expect(upstreamBody(call(method, path, body), { soldOut: false })).toMatchObject(nothing);
  }
  const deployments = '/apis/apps/v1/namespaces/a/deployments';
  const change = call('PATCH', `${deployments}/d`, { spec: { template: body } });
  expect(upstreamBody(change, { soldOut: false })).toMatchObject({ spec: { template: nothing } });
  expect(upstreamBody(call('DELETE', `${pods}/p`, {}), { soldOut: false })).toBeUndefined();
});

function specOfNew(spec: object): unknown {
  const made = call('POST', '/api/v1/namespaces/a/pods', { spec: { containers: [], ...spec } });
  return upstreamBody(made, { soldOut: false })?.['spec'];
}

test('there is no name server in a namespace, so that who asks for it gets the usual one', () => {
  expect(specOfNew({})).toMatchObject({ dnsPolicy: 'Default' });
  expect(specOfNew({ dnsPolicy: 'ClusterFirst' })).toMatchObject({ dnsPolicy: 'Default' });
  expect(specOfNew({ dnsPolicy: 'None' })).toMatchObject({ dnsPolicy: 'None' });
});

test('discovery names what CCI has', () => {
  const resources = [{ name: 'pods' }, { name: 'pods/attach' }, { name: 'nodes' }];
  expect(discoveryOf('v1', { kind: 'APIResourceList', resources })).toEqual({
    kind: 'APIResourceList',
    resources: [{ name: 'pods' }],
  });
  const apps = { name: 'apps', versions: [{ groupVersion: 'apps/v1' }], preferredVersion: { groupVersion: 'apps/v1' } };
  const groups = [apps, { name: 'policy', versions: [{ groupVersion: 'policy/v1' }] }];
  expect(discoveryOf('', { kind: 'APIGroupList', groups })).toMatchObject({
    kind: 'APIGroupList',
    groups: [apps, { name: 'metrics.k8s.io' }, { name: 'cci' }, { name: 'yangtse' }],
  });
  expect(discoveryOf('cci/v2', { groupVersion: 'v1', resources })).toEqual({
    groupVersion: 'cci/v2',
    resources: [{ name: 'pods' }],
  });
});
