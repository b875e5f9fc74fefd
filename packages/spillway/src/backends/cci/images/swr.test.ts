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
  expect(registryNotice('swr.cn-north-4.myhuaweicloud.com/org/app:1')).toBeUndefined();
  expect(registryNotice('nginx:alpine')).toBeUndefined();
  expect(registryNotice('quay.io/org/app:1')).toMatchObject({
    severity: 'Warning',
    message: expect.stringMatching(/reach quay\.io .*\{repositoryPrefix: quay\.io\/org, replaceWith: swr\./),
  });
  expect(registryNotice('bitnami/redis')?.message).toContain('CCI may not reach docker.io');
});

test('a pull that finds no way out names the endpoints that the VPC lacks', () => {
  expect(pullRemedy('Get https://swr…: dial tcp 100.125.40.98:443: i/o timeout')).toMatch(/swr-api.*OBS/);
  expect(pullRemedy('not found')).toBeUndefined();
});
