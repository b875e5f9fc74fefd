import { expect, test } from 'vitest';
import { endpointsOf } from './endpoints.ts';

test('a region says where its services are, unless they are elsewhere', () => {
  expect(endpointsOf({ region: 'cn-north-4' })).toEqual({
    cci: 'https://cci.cn-north-4.myhuaweicloud.com',
    iam: 'https://iam.cn-north-4.myhuaweicloud.com',
  });
  const endpoint = 'https://127.0.0.1:7443';
  expect(endpointsOf({ region: 'local', endpoint })).toEqual({
    cci: endpoint,
    iam: 'https://iam.local.myhuaweicloud.com',
  });
});
