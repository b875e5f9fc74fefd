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
    expect(loginsOf(mergePullSecret(secret, []).secret)).toEqual({ 'cci.internal': 'theirs' });
  });

  test('follows a login that was changed', () => {
    const { secret } = mergePullSecret(undefined, [wants('a/x', swr)]);
    expect(loginsOf(mergePullSecret(secret, [wants('a/x', swr, 'new')]).secret)).toEqual({ [swr]: 'new' });
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
        from: 'b/y',
        registry: swr,
        notice: {
          severity: 'Warning',
          reason: 'RegistryLoginConflict',
          message: `The login for ${swr} in b/y is not used: a/x has another one, and in CCI all pods of a pool share one login for each registry. Use the same login, or another pool`,
        },
      },
    ]);
    expect(JSON.stringify(refused)).not.toContain('secret-');
  });

  test('the one that is there already stays, whoever asks first', () => {
    const { secret } = mergePullSecret(undefined, [wants('b/y', swr, '2')]);
    const again = mergePullSecret(secret, [wants('a/x', swr, '1'), wants('b/y', swr, '2')]);
    expect(again.secret).toBeUndefined();
    expect(again.refused.map(({ from }) => from)).toEqual(['a/x']);
  });

  test('that of CCI stays, unless it is the same', () => {
    const present = foreignSecret({ [swr]: 'theirs' });
    const { secret, refused } = mergePullSecret(present, [wants('a/x', swr), wants('b/y', swr, 'theirs')]);
    expect(secret).toBeUndefined();
    expect(refused).toMatchObject([
      { from: 'a/x', notice: { message: expect.stringContaining('CCI has another one') } },
    ]);
  });
});
