import { expect, test } from 'vitest';
import { makeWorkload } from '../../testing/workloads.ts';
import { loginsOf, wantedLogins } from './wanted-logins.ts';

const swr = { registry: 'swr.r1.myhuaweicloud.com', username: 'r1@AK', password: 'computed' };
const image = 'swr.r1.myhuaweicloud.com/team/app:1';

function pullSecret(registry: string, login: string): object {
  const auths = { [registry]: { auth: Buffer.from(login).toString('base64') } };
  const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') };
  return { type: 'kubernetes.io/dockerconfigjson', data };
}

function asked(secrets: Record<string, object>, theImage = image, own: typeof swr | null = swr): string[] {
  const imagePullSecrets = Object.keys(secrets).map((name) => ({ name }));
  const spec = { containers: [{ image: theImage }], imagePullSecrets };
  const workload = makeWorkload({ spec, image: theImage, secrets });
  return loginsOf(workload, own ?? undefined).map(({ login, from }) => `${login.username} from ${from}`);
}

test('a pod with an image in SWR gets the login that Spillway has, without a Secret', () => {
  expect(asked({})).toEqual(["r1@AK from Spillway's access key"]);
  expect(asked({}, 'nginx:alpine')).toEqual([]);
  expect(asked({}, image, null)).toEqual([]);
});

test('a login that the pod brings is preferred, but not the vendor’s, which expires', () => {
  const own = pullSecret('swr.r1.myhuaweicloud.com', 'me:x');
  expect(asked({ mine: own })).toEqual(['me from default/mine']);
  expect(asked({ 'default-secret': own })).toEqual(["r1@AK from Spillway's access key"]);
  expect(asked({ 'default-secret': own }, image, null)).toEqual(['me from default/default-secret']);
});

test('a login for a registry that the pod does not use stays in the cluster', () => {
  expect(asked({ mine: pullSecret('quay.io', 'me:x') }, 'nginx:alpine')).toEqual([]);
  expect(asked({ mine: pullSecret('quay.io', 'me:x') }, 'quay.io/a/b')).toEqual(['me from default/mine']);
});

const login = (password: string, from: string): Parameters<typeof wantedLogins>[1][number] => ({
  login: { registry: 'quay.io', username: 'me', password },
  from,
});
const present = pullSecret('quay.io', 'me:old');

test('a login that was changed in the cluster takes the place of the older one', () => {
  expect(wantedLogins(present, [login('old', 'a/s')], [login('new', 'a/s')], () => true)).toEqual([
    login('new', 'a/s'),
  ]);
  expect(wantedLogins(present, [login('old', 'a/s')], [login('new', 'b/s')], () => true)).toEqual([
    login('old', 'a/s'),
    login('new', 'b/s'),
  ]);
});

test('after a restart, what pods that are there need is known from the Secret', () => {
  expect(wantedLogins(present, [], [], () => true)).toEqual([login('old', 'an earlier pod')]);
  expect(wantedLogins(present, [], [], () => false)).toEqual([]);
});
