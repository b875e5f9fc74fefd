import { expect, test } from 'vitest';
import { accessOf, repositoryIn, type RegistryCall } from './access.ts';

const organizations = {
  ownerOf: (organization: string) => ({ team: 'ours', other: 'theirs' })[organization],
  isPublic: (repository: string) => repository === 'other/open',
};
const us = { id: 'ours', name: 'cn-north-4' };

const access = (repository: string | undefined, login: RegistryCall['login'], method = 'GET'): string =>
  accessOf({ method, repository, login }, organizations);

test('public images are there for everybody, but not with a login that is wrong, and only to be read', () => {
  expect(access('other/open', undefined)).toBe('granted');
  expect(access('other/open', undefined, 'HEAD')).toBe('granted');
  expect(access('other/open', us)).toBe('granted');
  expect(access('other/open', 'wrong')).toBe('loginWrong');
  expect(access('other/open', us, 'PUT')).toBe('denied');
});

test('private images are there for the project that owns their organization', () => {
  expect(access('team/app', undefined)).toBe('loginNeeded');
  expect(access('team/app', us)).toBe('granted');
  expect(access('other/app', us)).toBe('denied');
  expect(access('nobody/app', us)).toBe('denied');
  expect(access('app', us)).toBe('denied');
});

test('whether a login is good can be asked without naming a repository', () => {
  expect(access(undefined, undefined)).toBe('loginNeeded');
  expect(access(undefined, 'wrong')).toBe('loginWrong');
  expect(access(undefined, us)).toBe('granted');
});

test('paths of the API name a repository, and none that leads out of it', () => {
  expect(repositoryIn('/v2/team/app/manifests/1')).toBe('team/app');
  expect(repositoryIn('/v2/team/a/b/blobs/sha256:12')).toBe('team/a/b');
  expect(repositoryIn('/v2/team/app/tags/list')).toBe('team/app');
  expect(repositoryIn('/v2/')).toBeUndefined();
  expect(repositoryIn('/v2/team/../other/app/manifests/1')).toBeUndefined();
});
