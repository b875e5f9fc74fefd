import { describe, expect, test } from 'vitest';
import { credentialsOf, matchingCredentials } from './registry-credentials.ts';

const base64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');

describe('a pull Secret', () => {
  test('of the newer shape names its registries below auths', () => {
    const auths = {
      'quay.io': { username: 'u', password: 'p' },
      'gcr.io': { auth: base64('_json_key:{"a":"b:c"}') },
      broken: { auth: '!' },
      empty: {},
    };
    expect(credentialsOf({ data: { '.dockerconfigjson': base64({ auths }) } })).toEqual({
      ok: true,
      credentials: [
        { registry: 'quay.io', username: 'u', password: 'p' },
        { registry: 'gcr.io', username: '_json_key', password: '{"a":"b:c"}' },
      ],
    });
  });

  test('of the older shape names them at once', () => {
    expect(credentialsOf({ data: { '.dockercfg': base64({ 'quay.io': { username: 'u', password: 'p' } }) } })).toEqual({
      ok: true,
      credentials: [{ registry: 'quay.io', username: 'u', password: 'p' }],
    });
  });

  test.each([
    [{}, 'neither'],
    [{ data: { '.dockerconfigjson': base64('{') } }, 'JSON'],
    [{ data: { '.dockerconfigjson': base64([]) } }, 'no registries'],
    [{ data: { '.dockerconfigjson': base64({}) } }, 'no registries'],
  ])('that cannot be used says why: %j', (secret, error) => {
    expect(credentialsOf(secret)).toEqual({ ok: false, error: expect.stringContaining(error) });
  });
});

describe('a login', () => {
  const hub = { registry: 'docker.io', repository: 'library/busybox' };
  test.each([
    ['https://index.docker.io/v1/', hub, true],
    ['docker.io', hub, true],
    ['quay.io', hub, false],
    ['quay.io', { registry: 'quay.io', repository: 'org/app' }, true],
    ['quay.io/org', { registry: 'quay.io', repository: 'org/app' }, true],
    ['quay.io/other', { registry: 'quay.io', repository: 'org/app' }, false],
    ['http://quay.io/v2/', { registry: 'quay.io', repository: 'org/app' }, true],
    ['*.azurecr.io', { registry: 'mine.azurecr.io', repository: 'app' }, true],
    ['*.azurecr.io', { registry: 'a.b.azurecr.io', repository: 'app' }, false],
    ['*.azurecr.io', { registry: 'azurecr.io', repository: 'app' }, false],
    ['re*.io', { registry: 'registry.io', repository: 'app' }, true],
    ['registry:5000', { registry: 'registry:5000', repository: 'app' }, true],
    ['registry', { registry: 'registry:5000', repository: 'app' }, false],
    ['registry:5000', { registry: 'registry:5001', repository: 'app' }, false],
    ['q.ay.io', { registry: 'qxay.io', repository: 'app' }, false],
  ])('for %s goes with %j: %s', (registry, image, matches) => {
    expect(matchingCredentials(image, [{ registry, username: 'u', password: 'p' }])).toHaveLength(matches ? 1 : 0);
  });

  test('that is more specific is tried first', () => {
    const logins = ['*.io', 'quay.io', 'quay.io/org', 'quay.io/org/app'].map((registry) => ({
      registry,
      username: 'u',
      password: 'p',
    }));
    const order = matchingCredentials({ registry: 'quay.io', repository: 'org/app' }, logins).map(
      ({ registry }) => registry,
    );
    expect(order).toEqual(['quay.io/org/app', 'quay.io/org', 'quay.io', '*.io']);
  });
});
