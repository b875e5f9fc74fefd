import type { Secret } from '@spillway/kube';
import { expect, test } from 'vitest';
import { loginsOf, type PodLogins } from './wanted-logins.ts';

const swr = { registry: 'swr.r1.myhuaweicloud.com', username: 'r1@AK', password: 'computed' };
const image = 'swr.r1.myhuaweicloud.com/team/app:1';
const now = Date.parse('2026-01-01T12:00:00Z');

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const login = (text: string): object => ({ auth: base64(text) });

function pullSecret(auths: object): Secret {
  const data = { '.dockerconfigjson': base64(JSON.stringify({ auths })) };
  return { type: 'kubernetes.io/dockerconfigjson', data };
}

/** As the vendor's clusters have one in each namespace. */
const vendorsSecret = (expires: string): Secret => ({
  ...pullSecret({ 'swr.r1.myhuaweicloud.com': login('r1@TEMPORARY:x') }),
  metadata: {
    labels: { 'secret-generated-by': 'cce' },
    annotations: { 'temporary-ak-sk-expires-at': expires },
  },
});

function logins(secrets: Record<string, Secret>, theImage = image, own: typeof swr | undefined = swr): PodLogins {
  const spec = { containers: [{ name: 'main', image: theImage }] };
  return loginsOf({ namespace: 'default', spec, secrets: new Map(Object.entries(secrets)) }, own, now);
}

const asked = (...pod: Parameters<typeof logins>): string[] =>
  logins(...pod).logins.map((each) => `${each.login.username} from ${each.from}`);

test('a pod with an image in SWR gets the login that Spillway has, without a Secret', () => {
  expect(asked({})).toEqual(["r1@AK from Spillway's access key"]);
  expect(asked({}, 'nginx:alpine')).toEqual([]);
  expect(
    loginsOf({ namespace: 'default', spec: { containers: [] }, secrets: new Map() }, undefined, now).logins,
  ).toEqual([]);
});

test('a login that the pod brings is preferred, but not the vendor’s, which expires', () => {
  expect(asked({ mine: pullSecret({ 'swr.r1.myhuaweicloud.com': login('me:x') }) })).toEqual(['me from default/mine']);
  expect(asked({ 'default-secret': vendorsSecret('2026-01-02 00:00:00.1 +0000 UTC') })).toEqual([
    "r1@AK from Spillway's access key",
  ]);
});

test('without a permanent access key the vendor’s login is used until it expires; then people are told', () => {
  const pod = { namespace: 'default', spec: { containers: [{ name: 'main', image }] } };
  const good = new Map([['default-secret', vendorsSecret('2026-01-01 12:00:01.380909 +0000 UTC')]]);
  expect(loginsOf({ ...pod, secrets: good }, undefined, now)).toMatchObject({
    logins: [{ from: "the cluster's default-secret", expiresAt: now + 1000 }],
    notices: [],
  });
  const old = new Map([['default-secret', vendorsSecret('2026-01-01 11:59:59.380909 +0000 UTC')]]);
  expect(loginsOf({ ...pod, secrets: old }, undefined, now)).toMatchObject({
    logins: [],
    notices: [
      {
        severity: 'Warning',
        reason: 'RegistryLoginExpired',
        message: expect.stringMatching(
          /^The login for swr\.r1\.myhuaweicloud\.com in default\/default-secret expired at 2026-01-01T11:59:59.000Z .*permanent access key/,
        ),
      },
    ],
  });
});

test('a login for a registry that the pod does not use stays in the cluster', () => {
  const secret = pullSecret({ 'quay.io': login('me:x'), 'ghcr.io': login('other:y') });
  expect(asked({ mine: secret }, 'nginx:alpine')).toEqual([]);
  expect(asked({ mine: secret }, 'quay.io/a/b')).toEqual(['me from default/mine']);
});

test.each([
  ['auth', pullSecret({ 'quay.io': login('me:x') })],
  ['username and password', pullSecret({ 'quay.io': { username: 'me', password: 'x' } })],
  ['a scheme and the version of the API', pullSecret({ 'https://quay.io/v2/': login('me:x') })],
  ['a path', pullSecret({ 'quay.io/team': login('me:x') })],
  ['the older shape', { data: { '.dockercfg': base64(JSON.stringify({ 'quay.io': login('me:x') })) } }],
])('a pull Secret with %s is understood', (_, secret) => {
  expect(asked({ mine: secret }, 'quay.io/team/app')).toEqual(['me from default/mine']);
});
