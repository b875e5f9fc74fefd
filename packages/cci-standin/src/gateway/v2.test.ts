import { expect, test } from 'vitest';
import type { Call } from '../rules/call.ts';
import { findRoute, type Route } from '../rules/routes.ts';
import { shownDocument, storedCall, storedPath } from './v2.ts';

const identity = {
  domain: { id: 'd1', name: 'domain' },
  project: { id: 'p1', name: 'project' },
  user: { id: 'u1', name: 'user' },
};

function routeOf(method: string, path: string): Route {
  const route = findRoute(method, path);
  if ('from' in route) throw new Error(route.message);
  return route;
}

function call(method: string, path: string, body?: unknown): Call {
  const route = routeOf(method, path);
  return {
    method,
    route,
    query: new URLSearchParams(),
    contentType: '',
    body,
    hasBody: body !== undefined,
    identity,
    hasUserToken: false,
  };
}

const podsPath = '/apis/cci/v2/namespaces/a/pods';
const networksPath = '/apis/yangtse/v2/namespaces/a/networks';
const pods = routeOf('GET', podsPath);

test.each([
  [podsPath, '/api/v1/namespaces/a/pods'],
  [`${podsPath}/p/exec`, '/api/v1/namespaces/a/pods/p/exec'],
  ['//apis//c%63i/v2/namespaces/a/pods/', '/api/v1/namespaces/a/pods'],
  ['/apis/cci/v2', '/api/v1'],
  [networksPath, '/apis/networking.cci.io/v1beta1/namespaces/a/networks'],
  ['/apis/cci/v2/persistentvolumes/v', '/api/v1/persistentvolumes/v'],
  ['/api/v1/namespaces/a/pods', '/api/v1/namespaces/a/pods'],
])('%s is kept at %s', (path, stored) => {
  expect(storedPath(path, routeOf('GET', path))).toBe(stored);
});

test('what CCI 2.0 does not document is not there', () => {
  for (const path of [
    '/apis/cci/v2/pods',
    '/apis/cci/v2/nodes',
    `${podsPath}/p/attach`,
    '/apis/yangtse/v2/namespaces',
  ]) {
    expect(findRoute('GET', path)).toMatchObject({ status: 404 });
  }
});

test('a new pod is kept as one of CCI 1.0, with its tenant and its size', () => {
  const container = { name: 'main', resources: { requests: { cpu: '1', memory: '1Gi' } } };
  const body = { apiVersion: 'cci/v2', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [container] } };
  expect(storedCall(call('POST', podsPath, body)).body).toMatchObject({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      labels: { 'tenant.kubernetes.io/project-id': 'p1' },
      annotations: { 'resource.cci.io/size': '1.00_1.0', 'tenant.cci.io/tenant-id': 'd1' },
    },
  });
});

test('options of a deletion, and all that belongs to CCI 1.0, go on as they came', () => {
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 };
  expect(storedCall(call('DELETE', `${podsPath}/p`, options)).body).toEqual(options);
  const old = call('POST', '/api/v1/namespaces/a/pods', { apiVersion: 'v1', kind: 'Pod' });
  expect(storedCall(old)).toBe(old);
  expect(shownDocument(old.route, { apiVersion: 'v1', kind: 'Pod' })).toEqual({ apiVersion: 'v1', kind: 'Pod' });
});

const billed = { finalizers: ['billing.kubernetes.io/podbilling-finalizer'] };

test('objects and lists are shown in the words of CCI 2.0', () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: {} };
  const shown = { apiVersion: 'cci/v2', kind: 'Pod', metadata: { name: 'p', ...billed } };
  expect(shownDocument(pods, pod)).toMatchObject(shown);
  expect(
    shownDocument(pods, { apiVersion: 'v1', kind: 'PodList', items: [{ metadata: { name: 'p' } }] }),
  ).toMatchObject({
    apiVersion: 'cci/v2',
    kind: 'PodList',
    items: [{ metadata: { name: 'p', ...billed } }],
  });
});

test('a refusal stays a Status', () => {
  const status = { apiVersion: 'v1', kind: 'Status', code: 410 };
  expect(shownDocument(pods, status)).toEqual(status);
});

test('a pod that was read can be written back', () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { schedulerName: 'default-scheduler' } };
  const stored = storedCall(call('PUT', `${podsPath}/p`, shownDocument(pods, pod))).body;
  expect(stored).toEqual({ ...pod, metadata: { finalizers: [] } });
});

test('a network is Ready when it is Active', () => {
  const route = routeOf('GET', networksPath);
  const spec = { subnets: [{ subnetID: 's1' }] };
  const network = { apiVersion: 'networking.cci.io/v1beta1', kind: 'Network', spec };
  expect(shownDocument(route, { ...network, status: { state: 'Pending' } })).toMatchObject({ status: {} });
  expect(shownDocument(route, { ...network, status: { state: 'Active' } })).toEqual({
    apiVersion: 'yangtse/v2',
    kind: 'Network',
    spec,
    status: { status: 'Ready', subnetAttrs: [{ subnetV4ID: 's1' }] },
  });
});

test('an event is about a pod of CCI 2.0', () => {
  const event = { apiVersion: 'v1', kind: 'Event', involvedObject: { apiVersion: 'v1', kind: 'Pod' } };
  expect(shownDocument(routeOf('GET', '/apis/cci/v2/namespaces/a/events'), event)).toMatchObject({
    involvedObject: { apiVersion: 'cci/v2' },
  });
});
