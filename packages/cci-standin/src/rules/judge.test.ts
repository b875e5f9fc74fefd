import { describe, expect, test } from 'vitest';
import type { Refusal } from '../refusal.ts';
import { usualRules, type Call, type Facts, type RuleOptions } from './call.ts';
import { judge } from './judge.ts';
import { findRoute } from './routes.ts';

const facts: Facts = {
  standing: { agency: true, arrears: false, frozen: false },
  namespaceProject: 'p1',
  volumeProject: 'p1',
  ownNamespaces: 0,
  networkStates: ['Active'],
};

function call(method: string, target: string, body?: unknown, differences: Partial<Call> = {}): Call {
  const { pathname, searchParams } = new URL(target, 'https://cci');
  const route = findRoute(method, pathname);
  if ('from' in route) throw new Error(route.message);
  return {
    method,
    route,
    query: searchParams,
    contentType: body === undefined ? '' : 'application/json',
    body,
    hasBody: body !== undefined,
    identity: {
      domain: { id: 'd1', name: 'domain' },
      project: { id: 'p1', name: 'project' },
      user: { id: 'u1', name: 'user' },
    },
    hasUserToken: false,
    ...differences,
  };
}

function judged(
  given: Call,
  differences: Partial<Facts> = {},
  options: Partial<RuleOptions> = {},
): Refusal | undefined {
  return judge(given, { ...facts, ...differences }, { ...usualRules, ...options });
}

const named = (name: string, annotations = { 'namespace.kubernetes.io/flavor': 'general-computing' }): Call =>
  call('POST', '/api/v1/namespaces', { metadata: { name, annotations } });
test('storage is imported as the vendor documents it, and its claim is unbound by name of its type', () => {
  const path = '/api/v1/namespaces/a/extended-persistentvolumeclaims';
  const annotations = { fsType: 'nfs', volumeID: 'v1', deviceMountPath: 'sfs:/share' };
  const claim = { metadata: { name: 'c', annotations }, spec: { storageClassName: 'nfs-rw' } };
  expect(judged(call('POST', path, claim))).toBeUndefined();
  expect(judged(call('POST', path, { ...claim, metadata: {} }))).toMatchObject({ errorCode: 'CCI.01.400106' });
  const claims = '/api/v1/namespaces/a/persistentvolumeclaims/c';
  expect(judged(call('DELETE', `${claims}?deleteVolume=false&storageType=nfs`))).toBeUndefined();
  expect(judged(call('DELETE', `${claims}?deleteVolume=false`))).toMatchObject({ errorCode: 'CCI.01.400301' });
  expect(judged(call('DELETE', claims))).toBeUndefined();
});

test('a volume of CCI 2.0 is of a file system of SFS Turbo, and of nobody else', () => {
  const path = '/apis/cci/v2/persistentvolumes';
  const volume = { apiVersion: 'cci/v2', metadata: { name: 'v' }, spec: { csi: { driver: 'disk.csi.everest.io' } } };
  expect(judged(call('POST', path, volume))).toMatchObject({ status: 422 });
  expect(judged(call('GET', `${path}/v`))).toBeUndefined();
  for (const volumeProject of ['p2', '', undefined]) {
    expect(judged(call('DELETE', `${path}/v`), { volumeProject })).toMatchObject({ status: 404 });
  }
});

const madePod = (body: object): Call => call('POST', '/api/v1/namespaces/a/pods', body);
const patch = (body: object, contentType = 'application/merge-patch+json'): Call =>
  call('PATCH', '/api/v1/namespaces/a/pods/p', body, { contentType });

describe('a new namespace', () => {
  const unknown = { namespaceProject: undefined };

  test('is made', () => expect(judged(named('a'), unknown)).toBeUndefined());
  test('needs a name', () => {
    expect(judged(named('A_b'), unknown)).toMatchObject({ status: 400, errorCode: 'CCI.02.400109' });
    expect(judged(named('a'.repeat(64)), unknown)).toMatchObject({ errorCode: 'CCI.02.400109' });
  });
  test('needs a flavour that there is', () => {
    const without = call('POST', '/api/v1/namespaces', { metadata: { name: 'a' } });
    expect(judged(without, unknown)).toMatchObject({ errorCode: 'CCI.02.400110' });
    expect(judged(named('a', { 'namespace.kubernetes.io/flavor': 'x' }), unknown)).toMatchObject({
      errorCode: 'CCI.02.400111',
    });
  });
  test('needs a name that nobody has', () => {
    for (const namespaceProject of ['p1', 'p2', '']) {
      expect(judged(named('a'), { namespaceProject })).toMatchObject({ status: 409, errorCode: 'CCI.02.409101' });
    }
  });
  test('is the fifth at most', () => {
    expect(judged(named('a'), { ...unknown, ownNamespaces: 4 })).toBeUndefined();
    expect(judged(named('a'), { ...unknown, ownNamespaces: 5 })).toMatchObject({ errorCode: 'CCI.02.400106' });
  });
});

test('namespaces are listed by name only, where that is so', () => {
  expect(judged(call('GET', '/api/v1/namespaces'))).toMatchObject({ status: 400, errorCode: 'CCI.01.400105' });
  expect(judged(call('GET', '/api/v1/namespaces?fieldSelector=metadata.name%3Da'))).toBeUndefined();
  expect(judged(call('GET', '/api/v1/namespaces'), {}, { namespaceListNeedsSelector: false })).toBeUndefined();
});

test('pods of all namespaces are listed, and not watched', () => {
  expect(judged(call('GET', '/api/v1/pods'))).toBeUndefined();
  expect(judged(call('GET', '/api/v1/pods?watch=true'))).toMatchObject({ status: 405 });
});

describe('a new network', () => {
  const annotations = { 'network.alpha.kubernetes.io/default-security-group': 'sg' };
  const spec = { attachedVPC: 'v', networkType: 'underlay_neutron', networkID: 'n', subnetID: 's' };
  const path = '/apis/networking.cci.io/v1beta1/namespaces/a/networks';
  const made = (body: object, differences: Partial<Call> = {}): Call => call('POST', path, body, differences);
  const none = { networkStates: [] };

  test('is made', () => expect(judged(made({ metadata: { annotations }, spec }), none)).toBeUndefined());
  test('needs a security group', () => {
    expect(judged(made({ spec }), none)).toMatchObject({ status: 400, message: 'securitygroup can not be empty' });
  });
  test.each(['attachedVPC', 'networkID', 'subnetID'])('needs %s', (field) => {
    const body = { metadata: { annotations }, spec: { ...spec, [field]: undefined } };
    expect(judged(made(body), none)).toMatchObject({ message: `spec[${field}]: Required value` });
  });
  test('is the only one of its namespace', () => {
    expect(judged(made({ metadata: { annotations }, spec }), { networkStates: ['Pending'] })).toMatchObject({
      status: 409,
    });
  });
  test('needs the token of a user, where that is so', () => {
    const body = { metadata: { annotations }, spec };
    const options = { networkNeedsUserToken: true };
    expect(judged(made(body), none, options)).toMatchObject({ status: 400, errorCode: 'CCI.01.400103' });
    expect(judged(made(body, { hasUserToken: true }), none, options)).toBeUndefined();
  });
});

describe('a new pod', () => {
  const spec = { containers: [{ name: 'a', resources: { limits: { cpu: '1', memory: '2Gi' } } }] };

  test('is made', () => expect(judged(madePod({ spec }))).toBeUndefined());
  test('needs a network that is Active', () => {
    expect(judged(madePod({ spec }), { networkStates: [] })).toMatchObject({ status: 403 });
    expect(judged(madePod({ spec }), { networkStates: ['Pending'] })).toMatchObject({ status: 403 });
  });
  test('keeps to the fields and sizes, also in the template of a workload', () => {
    expect(judged(madePod({ spec: { ...spec, hostNetwork: true } }))).toMatchObject({ status: 400 });
    const containers = [{ resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }];
    const message = "limit and request doesn't equal";
    expect(judged(madePod({ spec: { containers } }))).toMatchObject({ status: 400, message });
    const template = { spec: { template: { spec: { containers } } } };
    expect(judged(call('POST', '/apis/apps/v1/namespaces/a/deployments', template))).toMatchObject({ message });
  });
});

describe('a patch', () => {
  test('of a pod changes labels, annotations and images', () => {
    const body = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'b' }] } };
    expect(judged(patch(body, 'application/strategic-merge-patch+json'))).toBeUndefined();
  });
  test.each([
    { spec: { activeDeadlineSeconds: 1 } },
    { spec: { containers: [{ name: 'a', env: [] }] } },
    { metadata: { finalizers: [] } },
    { status: {} },
  ])('of a pod with %j is refused', (body) => {
    expect(judged(patch(body))).toMatchObject({ status: 422 });
  });
  test.each(['application/apply-patch+yaml', 'application/json-patch+json', 'application/json', ''])(
    'of type "%s" is none that CCI knows',
    (contentType) => expect(judged(patch({}, contentType))).toMatchObject({ status: 415 }),
  );
});

test('bodies are JSON', () => {
  const path = '/api/v1/namespaces/a/configmaps';
  expect(judged(call('POST', path, {}, { contentType: 'application/yaml' }))).toMatchObject({ status: 415 });
  expect(judged(call('POST', path, undefined, { hasBody: true }))).toMatchObject({ status: 400 });
});

describe('how an account stands', () => {
  const standing = facts.standing;
  const create = call('POST', '/api/v1/namespaces/a/configmaps', {});
  const remove = call('DELETE', '/api/v1/namespaces/a/configmaps/c');
  const get = call('GET', '/api/v1/namespaces/a/configmaps/c');

  test('without an agency nothing goes', () => {
    for (const each of [create, remove, get]) {
      expect(judged(each, { standing: { ...standing, agency: false } })).toMatchObject({
        status: 401,
        errorCode: 'CCI.01.401102',
      });
    }
  });
  test('in arrears one can still look and clean up', () => {
    const arrears = { standing: { ...standing, arrears: true } };
    expect(judged(create, arrears)).toMatchObject({ status: 403, errorCode: 'CCI.01.403009' });
    expect(judged(remove, arrears)).toBeUndefined();
    expect(judged(get, arrears)).toBeUndefined();
  });
  test('frozen one can only look', () => {
    const frozen = { standing: { ...standing, frozen: true } };
    expect(judged(create, frozen)).toMatchObject({ status: 403, errorCode: 'CCI.01.403010' });
    expect(judged(remove, frozen)).toMatchObject({ status: 403, errorCode: 'CCI.01.403010' });
    expect(judged(get, frozen)).toBeUndefined();
  });
});

test("other projects' namespaces are forbidden, missing ones not found", () => {
  const get = call('GET', '/api/v1/namespaces/a/pods');
  expect(judged(get, { namespaceProject: 'p2' })).toMatchObject({ status: 403, errorCode: 'CCI.01.403104' });
  expect(judged(get, { namespaceProject: '' })).toMatchObject({ status: 403 });
  expect(judged(get, { namespaceProject: undefined })).toMatchObject({ status: 404 });
});
