import { silentLogger } from '@spillway/kube';
import { expect, onTestFinished, test } from 'vitest';
import { CciConnection } from './connect.ts';
import type { Login } from './credentials/login.ts';
import { dialects } from './dialects.ts';
import { toBackendError } from './errors.ts';
import { prepare } from './prepare/prepare.ts';
import { place } from './testing/account.ts';
import { FakeService, sendJson } from './testing/fake-service.ts';

const key = { kind: 'accessKey', accessKey: 'AK', secretKey: 'planted' } as const;
const user = { kind: 'password', domainName: 'acme', userName: 'burst', password: 'planted' } as const;
/** A region in which everything is made by POST and read by GET, with IAM at the same address. */
async function region(login: Login): Promise<{ service: FakeService; connection: CciConnection }> {
  const made = new Map<string, object>();
  const service = await FakeService.start(({ method, path, body, headers }, response) => {
    if (path === '/v3/auth/tokens') return sendJson(response, 201, {}, { 'x-subject-token': 'T1' });
    const isKnown = headers['x-auth-token'] === 'T1' || headers.authorization?.includes('Access=AK,') === true;
    if (!isKnown) return sendJson(response, 401, { error_code: 'APIGW.0301', error_msg: 'no' });
    if (path === '/v1/agency') return method === 'GET' ? sendJson(response, 200, []) : response.writeHead(204).end();
    if (method === 'POST') made.set(path, { ...Object(body), status: { state: 'Active' } });
    const found = made.get(path.replace(/\/cce-burst-c1$/, ''));
    if (path.endsWith('/networks')) return sendJson(response, 200, { items: found === undefined ? [] : [found] });
    return found === undefined ? sendJson(response, 404, {}) : sendJson(response, 200, found);
  });
  const connection = new CciConnection({
    dialect: dialects.v1,
    endpoints: { cci: service.url, iam: service.url },
    ca: service.ca,
    projectId: 'p1',
    namespace: 'cce-burst-c1',
    source: { about: 'the test', read: () => Promise.resolve(login) },
    clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
    logger: silentLogger,
  });
  onTestFinished(async () => {
    await connection.close();
    service.close();
  });
  return { service, connection };
}

test.each([
  ['an access key', key],
  ['an IAM user', user],
])('with %s, everything that pods need is made in a region', async (_, login) => {
  const { service, connection } = await region(login);
  await prepare(
    {
      dialect: dialects.v1,
      send: connection.send,
      userToken: () => connection.access.userToken,
      clusterId: 'c1',
      namespace: 'cce-burst-c1',
      network: place,
      onProgress: () => undefined,
      clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
    },
    new AbortController().signal,
  );
  const made = service.calls.filter(({ method, path }) => method === 'POST' && path !== '/v3/auth/tokens');
  expect(made.map(({ path }) => path)).toEqual([
    '/v1/agency',
    '/api/v1/namespaces',
    '/apis/networking.cci.io/v1beta1/namespaces/cce-burst-c1/networks',
  ]);
});

test('a credential that the gateway does not know is told so, with what to do', async () => {
  const { service, connection } = await region({ ...key, accessKey: 'OTHER' });
  const error: unknown = await connection
    .send({ method: 'GET', path: '/api/v1/namespaces/x', signal: new AbortController().signal })
    .catch((caught: unknown) => caught);
  expect(toBackendError(error)).toMatchObject({
    kind: 'unauthorized',
    reason: 'CCIUnauthorized',
    remedy: expect.stringContaining('Check the access key'),
  });
  expect(String(error)).toMatch(/CCI refuses access key …THER.*APIGW\.0301/);
  expect(service.calls).toHaveLength(1);
});
