import { expect, test } from 'vitest';
import { findRoute } from './routes.ts';

test.each([
  ['GET', '/api', { groupVersion: '', resource: '' }],
  ['GET', '/api/v1', { groupVersion: 'v1', resource: '' }],
  ['POST', '/api/v1/namespaces', { resource: 'namespaces' }],
  ['DELETE', '/api/v1/namespaces/a', { resource: 'namespaces', name: 'a' }],
  ['GET', '/api/v1/pods', { resource: 'pods' }],
  ['POST', '/api/v1/namespaces/a/extended-persistentvolumeclaims', { resource: 'extended-persistentvolumeclaims' }],
  ['DELETE', '/apis/cci/v2/persistentvolumes/v', { resource: 'persistentvolumes', name: 'v' }],
  ['POST', '/api/v1/namespaces/a/pods/p/exec', { namespace: 'a', resource: 'pods', name: 'p', subresource: 'exec' }],
  ['GET', '/apis/networking.cci.io/v1beta1/namespaces/a/networks', { namespace: 'a', resource: 'networks' }],
  ['GET', '/apis/metrics.k8s.io/v1beta1/namespaces/a/pods/p', { namespace: 'a', resource: 'pods', name: 'p' }],
  [
    'PATCH',
    '/apis/apps/v1/namespaces/a/deployments/d',
    { groupVersion: 'apps/v1', resource: 'deployments', name: 'd' },
  ],
])('%s %s is there', (method, path, route) => {
  expect(findRoute(method, path)).toMatchObject(route);
});

test.each([
  ['GET', '/api/v1/nodes', 404],
  ['GET', '/metrics', 404],
  ['GET', '/apis/metrics.k8s.io/v1beta1/pods', 404],
  ['GET', '/apis/metrics.k8s.io/v1beta1/nodes', 404],
  ['POST', '/apis/metrics.k8s.io/v1beta1/namespaces/a/pods', 405],
  ['GET', '/api/v1/configmaps', 404],
  ['POST', '/api/v1/namespaces/a/pods/p/attach', 404],
  ['POST', '/api/v1/namespaces/a/pods/p/portforward', 404],
  ['PATCH', '/api/v1/namespaces/a/pods/p/ephemeralcontainers', 404],
  ['POST', '/api/v1/namespaces/a/pods/p/binding', 404],
  ['GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles', 404],
  ['POST', '/apis/apps/v1/namespaces/a/daemonsets', 404],
  ['GET', '/api/v1/namespaces/a/pods/..%2F..%2Fsecrets', 404],
  ['GET', '/api/v1/persistentvolumes', 404],
  ['GET', '/api/v1/namespaces/a/extended-persistentvolumeclaims/c', 405],
  ['PATCH', '/api/v1/namespaces/a', 405],
  ['DELETE', '/api/v1/namespaces', 405],
  ['PATCH', '/api/v1/namespaces/a/pods/p/status', 405],
  ['POST', '/api/v1/pods', 405],
])('%s %s is answered with %d', (method, path, status) => {
  expect(findRoute(method, path)).toMatchObject({ status });
});
