import { expect, test } from 'vitest';
import type { ApiError } from '../errors.ts';
import type { ClusterConfig, OutgoingRequest } from '../config/cluster-config.ts';
import { staticCredentials } from '../config/credentials.ts';
import { upgradeTarget } from './upgrade.ts';

const path = '/api/v1/namespaces/burst/pods/web/exec';
const query = { container: 'main', command: ['sh', '-c', 'echo a b'] };

function cluster(differences: Partial<ClusterConfig> = {}): ClusterConfig {
  return {
    server: 'https://cci.example:6443/prefix',
    insecureSkipTlsVerify: false,
    namespace: 'burst',
    credentials: staticCredentials({}),
    source: 'the test',
    ...differences,
  };
}

test('who opens a remote command says who it is, as the one that it acts for', async () => {
  const credentials = staticCredentials({ token: 'secret' });
  const impersonate = { user: 'ada', groups: ['dev', 'ops'] };
  const { url, headers } = await upgradeTarget(cluster({ credentials, impersonate }), { path, query });
  expect(url.href).toBe(
    'https://cci.example:6443/prefix/api/v1/namespaces/burst/pods/web/exec?container=main&command=sh&command=-c&command=echo+a+b',
  );
  expect(headers).toEqual({
    authorization: ['Bearer secret'],
    'impersonate-user': ['ada'],
    'impersonate-group': ['dev', 'ops'],
  });
});

test('it is signed as it is sent: a POST without a body, the query in its order, the host', async () => {
  const signed: OutgoingRequest[] = [];
  const sign = (request: OutgoingRequest): Record<string, string> => {
    signed.push(request);
    return { 'x-sdk-date': 'now', authorization: `number ${signed.length}` };
  };
  const config = cluster({ sign });
  const first = await upgradeTarget(config, { path, query });
  expect(signed).toEqual([
    {
      method: 'POST',
      path: first.url.pathname + first.url.search,
      headers: { host: 'cci.example:6443' },
      body: null,
    },
  ]);
  expect(first.headers).toEqual({ 'x-sdk-date': ['now'], authorization: ['number 1'] });
  expect((await upgradeTarget(config, { path, query })).headers).toHaveProperty('authorization', ['number 2']);
});

test('who keeps the credentials learns that they were refused, and of nothing else', async () => {
  const refusals: unknown[] = [];
  const credentials = {
    current: () => Promise.resolve({ generation: 7, credentials: {} }),
    invalidate: (generation: number, refusal?: ApiError) => void refusals.push([generation, refusal?.status]),
  };
  const { refused } = await upgradeTarget(cluster({ credentials }), { path, query });
  const body = { error_code: 'APIGW.0301', error_msg: 'no' };
  expect(refused({ status: 401, headers: {}, text: JSON.stringify(body) })).toMatchObject({
    kind: 'unauthorized',
    message: `POST ${path}: status 401: no (APIGW.0301)`,
    answer: { body },
  });
  expect(refused({ status: 403, headers: {}, text: '' })).toMatchObject({ kind: 'forbidden' });
  expect(refusals).toEqual([[7, 401]]);
});
