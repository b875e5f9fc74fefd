import { silentLogger } from '@spillway/kube';
import { expect, test } from 'vitest';
import { accountOf } from '../testing/account.ts';
import { FakeService, type SeenCall, sendJson } from '../testing/fake-service.ts';
import { clusterLabel } from '../prepare/namespace.ts';
import { inspectCci } from './inspect.ts';
import type { AccountView } from './view.ts';

type Respond = Parameters<typeof FakeService.start>[0];

/** Inspects an account for which `respond` answers the calls that carry a signature. */
async function inspect(
  respond: Respond,
  date = new Date(),
): Promise<{ readonly account: AccountView; readonly calls: readonly SeenCall[] }> {
  const service = await FakeService.start((call, response) => {
    response.setHeader('date', date.toUTCString());
    if (call.headers.authorization === undefined) sendJson(response, 401, { error_code: 'APIGW.0301' });
    else respond(call, response);
  });
  // A temporary key has no login for SWR: nothing else is called.
  const backend = await accountOf(service, 'accessKey: AK\nsecretKey: SK\nsecurityToken: T\n');
  const account = await inspectCci(
    {
      environment: {},
      backend: { ...backend, imageReplacements: [] },
      clusterId: 'c1',
      onProgress: () => undefined,
      logger: silentLogger,
    },
    new AbortController().signal,
  );
  return { account, calls: service.calls };
}

const healthy: Respond = ({ method, path }, response) => {
  if (path === '/v1/agency') sendJson(response, 200, [{}]);
  else if (method === 'POST') sendJson(response, 409, { kind: 'Status', code: 409, message: 'it exists' });
  else if (path.endsWith('/networks')) {
    sendJson(response, 200, { items: [{ spec: { subnetID: 's1' }, status: { state: 'Active' } }] });
  } else if (path.endsWith('/resourcequotas')) sendJson(response, 200, { items: [] });
  else sendJson(response, 200, { metadata: { labels: { [clusterLabel]: 'c1' } } });
};

test('an account is asked all its questions, and nothing is made: what is asked for is there', async () => {
  const { account, calls } = await inspect(healthy);
  expect(account).toMatchObject({
    accepted: { ok: true },
    agency: { ok: true, value: true },
    made: { ok: true, value: true },
    network: { ok: true, value: 'ready' },
    standing: { ok: true },
    quotas: { ok: true },
    registry: { kind: 'noLogin' },
  });
  expect(calls.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /api/v1/namespaces',
  ]);
});

test('a key that is refused is tried once, and nothing is asked with it any more', async () => {
  const { account, calls } = await inspect((_, response) =>
    sendJson(response, 401, { error_code: 'APIGW.0301', error_msg: 'Incorrect IAM authentication information' }),
  );
  expect(account).toMatchObject({ accepted: { ok: false, trouble: { kind: 'unauthorized' } } });
  expect(account.made).toBeUndefined();
  expect(calls.filter(({ headers }) => headers.authorization !== undefined)).toHaveLength(1);
});

test('the time of CCI is known before the first signature, so that a wrong clock costs no failure', async () => {
  const ahead = new Date(Date.now() + 3_600_000);
  const { account, calls } = await inspect(healthy, ahead);
  expect(account).toMatchObject({ gateway: { ok: true, value: { skewMs: expect.closeTo(3_600_000, -5) } } });
  const [signedAt] = calls.flatMap(({ headers }) => headers['x-sdk-date'] ?? []);
  const readable = String(signedAt).replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5');
  expect(Date.parse(readable)).toBeCloseTo(ahead.getTime(), -5);
});

test('an account in arrears may be read, and is found by asking for what is there', async () => {
  const { account } = await inspect((call, response) => {
    if (call.method === 'GET') healthy(call, response);
    else sendJson(response, 403, { kind: 'Status', code: 403, errorCode: 'CCI.01.403009', message: 'in arrears' });
  });
  expect(account).toMatchObject({ network: { ok: true }, standing: { ok: false, trouble: { kind: 'blocked' } } });
});
