import { expect, test } from 'vitest';
import { pullRemedy, registryNotice, swrLogin } from './swr.ts';

const keys = { accessKey: 'AccessKey', secretKey: 'SecretKey' };

test('the login of an access key is computed: user PROJECT@KEY, password an HMAC', () => {
  // printf AccessKey | openssl dgst -sha256 -hmac SecretKey
  const password = 'f004a0445bcaf37d946c882a22e1e5f9007ea3513c293aa2d3360af05b8875cd';
  expect(swrLogin(keys, { region: 'cn-north-4' })).toEqual({
    registry: 'swr.cn-north-4.myhuaweicloud.com',
    username: 'cn-north-4@AccessKey',
    password,
  });
  expect(swrLogin(keys, { region: 'cn-north-4', project: 'cn-north-4_dev' })).toMatchObject({
    registry: 'swr.cn-north-4.myhuaweicloud.com',
    username: 'cn-north-4_dev@AccessKey',
  });
});

test('a temporary key has no such login', () => {
  expect(swrLogin({ ...keys, securityToken: 'T' }, { region: 'cn-north-4' })).toBeUndefined();
});

test('people are told of registries that CCI may not reach, with the rule that helps', () => {
  expect(registryNotice('swr.cn-north-4.myhuaweicloud.com/org/app:1', 'cn-north-4')).toBeUndefined();
  expect(registryNotice('nginx:alpine', 'cn-north-4')).toBeUndefined();
  expect(registryNotice('quay.io/org/app:1', 'cn-north-4')).toMatchObject({
    severity: 'Warning',
    message: expect.stringMatching(
      /reach quay\.io .*\{repositoryPrefix: quay\.io\/org, replaceWith: swr\.cn-north-4\./,
    ),
  });
  expect(registryNotice('bitnami/redis', 'cn-north-4')?.message).toContain('CCI may be unable to reach docker.io');
});

const remedy = (message: string): string | undefined => pullRemedy(message, 'cn-north-4');
const pull = (why: string): string =>
  `Failed to pull image "x": rpc error: code = Unknown desc = failed to pull: ${why}`;

test('a pull that finds no way out names the endpoints that the VPC lacks', () => {
  expect(remedy('Get https://swr…: dial tcp 100.125.40.98:443: i/o timeout')).toMatch(
    /com\.myhuaweicloud\.cn-north-4\.swr\).*com\.myhuaweicloud\.cn-north-4\.swr-api.*OBS/,
  );
});

test.each([
  'unexpected status from HEAD request to https://swr…: 401 Unauthorized',
  'unexpected status from HEAD request to https://swr…: 403 Forbidden',
  'denied: You may not login yet',
  '{"errors":[{"code":"DENIED","message":"you do not have the permission"}]}',
  'pull access denied, repository does not exist or may require authorization',
])('a pull with a login that the registry does not take says where logins come from: %s', (why) => {
  expect(remedy(pull(why))).toMatch(/pull Secret.*access key/);
});

test('a pull of what is not there asks for name and tag; of anything else nothing is said', () => {
  expect(remedy(pull('swr…/team/app:2: not found'))).toMatch(/name and tag/);
  expect(remedy(pull('connection reset'))).toBeUndefined();
  expect(remedy('MountVolume.SetUp failed: secret "x" not found')).toBeUndefined();
});
