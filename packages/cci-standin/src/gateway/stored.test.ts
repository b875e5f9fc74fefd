import { expect, test } from 'vitest';
import { apiRefusal } from '../refusal.ts';
import type { Call } from '../rules/call.ts';
import { findRoute } from '../rules/routes.ts';
import { stored } from './stored.ts';

const identity = {
  domain: { id: 'd1', name: 'domain' },
  project: { id: 'p1', name: 'project' },
  user: { id: 'u1', name: 'user' },
};

async function where(method: string, target: string, body?: object): Promise<object> {
  const { pathname, searchParams: query } = new URL(target, 'https://cci');
  const route = findRoute(method, pathname);
  if ('from' in route) throw new Error(route.message);
  const hasBody = body !== undefined;
  const call: Call = { method, route, query, contentType: '', body, hasBody, identity, hasUserToken: false };
  const kept: string[] = [];
  const found = await stored(call, pathname, {
    imported: async () => ({ body: { imported: true } }),
    stored: async () => ({ refusal: apiRefusal(400, 'BadRequest', 'no such volume') }),
    keep: async (namespace, name) => void kept.push(`${namespace}/${name}`),
  });
  return { ...found, kept };
}

const claims = '/api/v1/namespaces/a/persistentvolumeclaims';

test('what imports storage becomes a claim', async () => {
  const found = await where('POST', '/api/v1/namespaces/a/extended-persistentvolumeclaims', {});
  expect(found).toMatchObject({
    pathname: claims,
    call: { route: { resource: 'persistentvolumeclaims' }, body: { imported: true } },
  });
});

test('a volume of what is not there is refused', async () => {
  expect(await where('POST', '/apis/cci/v2/persistentvolumes', {})).toMatchObject({ message: 'no such volume' });
});

test('only who says so keeps the storage of a claim that is deleted', async () => {
  expect(await where('DELETE', `${claims}/c?deleteVolume=false&storageType=nfs`)).toMatchObject({ kept: ['a/c'] });
  expect(await where('DELETE', `${claims}/c`)).toMatchObject({ kept: [], pathname: `${claims}/c` });
  expect(await where('GET', `${claims}/c?deleteVolume=false`)).toMatchObject({ kept: [] });
});

test('everything else goes where CCI 1.0 has it', async () => {
  const pod = await where('POST', '/apis/cci/v2/namespaces/a/pods', { apiVersion: 'cci/v2' });
  expect(pod).toMatchObject({ pathname: '/api/v1/namespaces/a/pods', call: { body: { apiVersion: 'v1' } } });
});
