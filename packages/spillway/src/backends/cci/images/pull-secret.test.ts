import type { Secret } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { credentialsOf } from '../../../podspec/registry-credentials.ts';
import { mergePullSecret, type WantedLogin } from './pull-secret.ts';

const swr = 'swr.cn-north-4.myhuaweicloud.com';

const wants = (from: string, registry: string, password = 'p'): WantedLogin => ({
  from,
  login: { registry, username: 'u', password },
});

/** As CCI or somebody else made it. */
const foreignSecret = (auths: Record<string, string>): Secret => {
  const entries = Object.entries(auths).map(([host, password]) => [
    host,
    { auth: Buffer.from(`u:${password}`).toString('base64') },
  ]);
  const config = JSON.stringify({ auths: Object.fromEntries(entries) });
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'imagepull-secret', resourceVersion: '7', labels: { kept: 'yes' } },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(config).toString('base64') },
  };
};

function loginsOf(secret: Secret | undefined): Record<string, string> {
  if (secret === undefined) throw new Error('nothing is to be written');
  const found = credentialsOf(secret);
  if (!found.ok) throw new Error(found.error);
  return Object.fromEntries(found.credentials.map(({ registry, password }) => [registry, password]));
}

describe('the pull Secret of the namespace', () => {
  test('is made with the logins that pods need', () => {
    const { secret, refused } = mergePullSecret(undefined, [wants('a/x', swr), wants('b/y', 'quay.io', 'q')]);
    expect(secret).toMatchObject({ metadata: { name: 'imagepull-secret' }, type: 'kubernetes.io/dockerconfigjson' });
    expect(loginsOf(secret)).toEqual({ [swr]: 'p', 'quay.io': 'q' });
    expect(refused).toEqual([]);
  });

  test('is not written again when it is as it should be, and not at all for nobody', () => {
    const wanted = [wants('a/x', swr), wants('b/y', `https://${swr}/v2/`)];
    const { secret } = mergePullSecret(undefined, wanted);
    expect(mergePullSecret(secret, wanted)).toEqual({ secret: undefined, refused: [] });
    expect(mergePullSecret(undefined, [])).toEqual({ secret: undefined, refused: [] });
  });

  test('keeps what CCI put there: other hosts, labels, its version', () => {
    const { secret } = mergePullSecret(foreignSecret({ 'cci.internal': 'theirs' }), [wants('a/x', swr)]);
    expect(secret).toMatchObject({ metadata: { resourceVersion: '7', labels: { kept: 'yes' } } });
    expect(loginsOf(secret)).toEqual({ 'cci.internal': 'theirs', [swr]: 'p' });
  });

  test('keeps also entries of CCI that are no logins', () => {
    const config = { auths: { 'cci.internal': { identitytoken: 't' } } };
    const present = foreignSecret({});
    present.data = { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') };
    const { secret } = mergePullSecret(present, [wants('a/x', swr)]);
    const written = Buffer.from(secret?.data?.['.dockerconfigjson'] ?? '', 'base64').toString();
    expect(JSON.parse(written)).toMatchObject({ auths: { 'cci.internal': { identitytoken: 't' }, [swr]: {} } });
  });

  test('loses our logins with their last user, and no others', () => {
    const { secret } = mergePullSecret(foreignSecret({ 'cci.internal': 'theirs' }), [wants('a/x', swr)]);
    expect(mergePullSecret(secret, []).secret).toBeUndefined();
    expect(loginsOf(mergePullSecret(secret, [], () => false).secret)).toEqual({ 'cci.internal': 'theirs' });
  });

  test('follows a login that was changed, also when another process brought it', () => {
    const { secret } = mergePullSecret(undefined, [wants('a/x', swr)]);
    expect(loginsOf(mergePullSecret(secret, [wants('a/x', swr, 'new')]).secret)).toEqual({ [swr]: 'new' });
  });

  test('follows a login that several Secrets hold when one of them changes; the others are told until they change, too', () => {
    const { secret: first } = mergePullSecret(undefined, [wants('a/x', swr), wants('b/y', swr)]);
    const { secret: second, refused } = mergePullSecret(first, [wants('b/y', swr, 'new')]);
    expect(loginsOf(second)).toEqual({ [swr]: 'new' });
    expect(refused).toEqual([]);
    expect(mergePullSecret(second, [wants('a/x', swr)]).refused).toHaveLength(1);
    expect(mergePullSecret(second, [wants('a/x', swr, 'new')]).refused).toEqual([]);
  });

  test('keeps of logins that expire the one that is good for longer', () => {
    const until = (password: string, expiresAt: number): WantedLogin => ({
      ...wants('vendor', swr, password),
      expiresAt,
    });
    const { secret } = mergePullSecret(undefined, [until('1', 1000)]);
    expect(loginsOf(mergePullSecret(secret, [until('2', 2000)]).secret)).toEqual({ [swr]: '2' });
    expect(mergePullSecret(secret, [until('0', 500)])).toEqual({ secret: undefined, refused: [] });
  });

  test('of the older shape stays so, because the type of a Secret cannot be changed', () => {
    const auths = { 'cci.internal': { auth: Buffer.from('u:theirs').toString('base64') } };
    const present: Secret = {
      metadata: { name: 'imagepull-secret' },
      type: 'kubernetes.io/dockercfg',
      data: { '.dockercfg': Buffer.from(JSON.stringify(auths)).toString('base64') },
    };
    const { secret } = mergePullSecret(present, [wants('a/x', swr)]);
    expect(secret?.type).toBe('kubernetes.io/dockercfg');
    expect(Object.keys(secret?.data ?? {})).toEqual(['.dockercfg']);
    expect(loginsOf(secret)).toEqual({ 'cci.internal': 'theirs', [swr]: 'p' });
  });

  test('is not written over when it cannot be read, and keeps what else is in it', () => {
    const broken = foreignSecret({});
    broken.data = { '.dockerconfigjson': Buffer.from('{').toString('base64') };
    expect(() => mergePullSecret(broken, [wants('a/x', swr)])).toThrow(/imagepull-secret in CCI does not contain JSON/);
    const more = foreignSecret({});
    more.data = { '.dockerconfigjson': Buffer.from('{"credHelpers":{"h":"x"},"auths":{}}').toString('base64') };
    const written = mergePullSecret(more, [wants('a/x', swr)]).secret?.data?.['.dockerconfigjson'] ?? '';
    expect(JSON.parse(Buffer.from(written, 'base64').toString())).toMatchObject({ credHelpers: { h: 'x' } });
  });

  test('has one entry for a registry, however its address is written', () => {
    const wanted = ['https://index.docker.io/v1/', 'docker.io', 'registry-1.docker.io'].map((host) =>
      wants('a/x', host),
    );
    expect(loginsOf(mergePullSecret(undefined, wanted).secret)).toEqual({ 'docker.io': 'p' });
    const paths = [
      wants('a/x', `https://${swr}/team`),
      wants('a/x', `${swr}/other/`, 'o'),
      wants('a/x', `http://${swr}/v1/`),
    ];
    expect(loginsOf(mergePullSecret(undefined, paths).secret)).toEqual({
      [`${swr}/team`]: 'p',
      [`${swr}/other`]: 'o',
      [swr]: 'p',
    });
  });
});

describe('two different logins for one host', () => {
  test('the first is used, and who asked for the other is told', () => {
    const { secret, refused } = mergePullSecret(undefined, [
      wants('a/x', swr, 'secret-1'),
      wants('b/y', swr, 'secret-2'),
    ]);
    expect(loginsOf(secret)).toEqual({ [swr]: 'secret-1' });
    expect(refused).toEqual([
      {
        severity: 'Warning',
        reason: 'RegistryLoginConflict',
        message: `The login for ${swr} in b/y is not used: a/x has a different one, and in CCI all pods of a pool share one login for each registry. Use the same login, or another pool`,
      },
    ]);
    expect(JSON.stringify(refused)).not.toContain('secret-');
  });

  test('the one that is there already stays, whoever asks first', () => {
    const { secret } = mergePullSecret(undefined, [wants('b/y', swr, '2')]);
    const again = mergePullSecret(secret, [wants('a/x', swr, '1'), wants('b/y', swr, '2')]);
    expect(again.secret).toBeUndefined();
    expect(again.refused.map(({ message }) => message)).toEqual([
      expect.stringMatching(/in a\/x is not used: b\/y has/),
    ]);
  });

  test('that of CCI stays, unless it is the same', () => {
    const present = foreignSecret({ [swr]: 'theirs' });
    const { secret, refused } = mergePullSecret(present, [wants('a/x', swr), wants('b/y', swr, 'theirs')]);
    expect(secret).toBeUndefined();
    expect(refused).toMatchObject([{ message: expect.stringMatching(/in a\/x is not used: CCI has a different one/) }]);
  });
});
