import { describe, expect, test } from 'vitest';
import { requiredAccess } from './auth/attributes.ts';
import { pathSegments, routeOf } from './route.ts';

function route(method: string, path: string): unknown {
  return routeOf(method, pathSegments(path));
}

describe('paths', () => {
  test.each([
    ['GET', '/healthz', { kind: 'healthz' }],
    ['GET', '/metrics', { kind: 'metrics' }],
    ['GET', '/metrics/resource', { kind: 'resourceMetrics' }],
    ['GET', '/metrics/cadvisor', { kind: 'cadvisorMetrics' }],
    ['GET', '/metrics/probes', { kind: 'probeMetrics' }],
    ['GET', '/stats/summary/', { kind: 'statsSummary' }],
    ['GET', '/pods', { kind: 'pods' }],
    ['HEAD', '/pods/', { kind: 'pods' }],
    ['GET', '/runningpods/', { kind: 'runningPods' }],
    ['GET', '/runningpods', { kind: 'runningPods' }],
    ['GET', '/explain/ns/web', { kind: 'explain', namespace: 'ns', pod: 'web' }],
    ['GET', '/containerLogs/ns/web/main', { kind: 'logs', namespace: 'ns', pod: 'web', container: 'main' }],
    ['POST', '/exec/ns/web/main', { kind: 'exec', namespace: 'ns', pod: 'web', container: 'main' }],
    ['GET', '/exec/ns/web/main', { kind: 'exec', namespace: 'ns', pod: 'web', container: 'main' }],
    ['POST', '/exec/ns/web/1-2-3/main', { kind: 'exec', namespace: 'ns', pod: 'web', uid: '1-2-3', container: 'main' }],
    ['POST', '/attach/ns/web/main', { kind: 'attach', namespace: 'ns', pod: 'web', container: 'main' }],
    ['GET', '/attach/ns/web/1-2/main', { kind: 'attach', namespace: 'ns', pod: 'web', uid: '1-2', container: 'main' }],
    ['POST', '/portForward/ns/web', { kind: 'portForward', namespace: 'ns', pod: 'web' }],
    ['GET', '/portForward/ns/web/1-2-3', { kind: 'portForward', namespace: 'ns', pod: 'web', uid: '1-2-3' }],
    ['GET', '/%65xec/n%73/web/main', { kind: 'exec', namespace: 'ns', pod: 'web', container: 'main' }],
  ])('%s %s', (method, path, expected) => {
    expect(route(method, path)).toEqual({ route: expected });
  });

  test.each([
    ['/checkpoint/ns/web/main', 'checkpointing of containers'],
    ['/run/ns/web/main', 'the kubelet’s run command'],
  ])('%s is known but not offered', (path, what) => {
    expect(route('POST', path)).toEqual({ route: { kind: 'unsupported', what } });
  });

  test.each([
    '/',
    '',
    '//pods',
    '/nothing',
    '/toString',
    '/pods/more',
    '/metrics/more',
    '/metrics/resource/more',
    '/stats',
    '/stats/container',
    '/stats/summary/more',
    '/exec/ns/web',
    '/attach/ns/web',
    '/portForward/ns',
    '/portForward/ns/web/uid/more',
    '/explain/ns',
    '/explain/ns/web/more',
    '/exec/ns//main',
    '/exec/a/b/c/d/e',
    '/containerLogs/ns/web',
    '/containerLogs/ns/web/main/more',
    '/pods/../exec/ns/web/main',
    '/%zz',
    'https://somewhere/pods',
  ])('%j is nothing', (path) => {
    expect(route('GET', path)).toEqual({ route: undefined });
  });

  test.each([
    ['POST', '/pods', ['GET', 'HEAD']],
    ['DELETE', '/exec/ns/web/main', ['GET', 'POST']],
    ['HEAD', '/containerLogs/ns/web/main', ['GET']],
    ['POST', '/explain/ns/web', ['GET']],
  ])('%s %s is not a method of it', (method, path, allow) => {
    expect(route(method, path)).toEqual({ allow });
  });
});

describe('the access that a request needs', () => {
  test.each([
    ['GET', '/pods', 'get', ['pods', 'proxy']],
    ['GET', '/runningpods/', 'get', ['pods', 'proxy']],
    ['GET', '/healthz', 'get', ['healthz', 'proxy']],
    ['GET', '/healthz/syncloop', 'get', ['healthz', 'proxy']],
    ['GET', '/configz', 'get', ['configz', 'proxy']],
    ['GET', '/flagz', 'get', ['configz']],
    ['GET', '/metrics', 'get', ['metrics']],
    ['GET', '/metrics/resource', 'get', ['metrics']],
    ['GET', '/metrics/cadvisor', 'get', ['metrics']],
    ['GET', '/stats/summary', 'get', ['stats']],
    ['GET', '/logs/syslog', 'get', ['log']],
    ['POST', '/checkpoint/ns/web/main', 'create', ['checkpoint']],
    ['GET', '/containerLogs/ns/web/main', 'get', ['proxy']],
    ['POST', '/exec/ns/web/main', 'create', ['proxy']],
    ['GET', '/exec/ns/web/main', 'create', ['proxy']],
    ['GET', '/%65xec/ns/web/main', 'create', ['proxy']],
    ['GET', '/attach/ns/web/main', 'create', ['proxy']],
    ['GET', '/portForward/ns/web', 'create', ['proxy']],
    ['GET', '/', 'get', ['proxy']],
    ['GET', '/toString', 'get', ['proxy']],
    ['PUT', '/x', 'update', ['proxy']],
    ['PATCH', '/x', 'patch', ['proxy']],
    ['DELETE', '/x', 'delete', ['proxy']],
    ['HEAD', '/pods', 'get', ['pods', 'proxy']],
    ['OPTIONS', '/pods', 'options', ['pods', 'proxy']],
  ])('%s %s: %s %j', (method, path, verb, subresources) => {
    expect(requiredAccess(method, pathSegments(path))).toEqual({ verb, subresources });
  });
});
