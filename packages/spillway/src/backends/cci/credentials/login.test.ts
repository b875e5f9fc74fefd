import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BackendError } from '../../backend.ts';
import { describeLogin, type LoginFields, loginOf } from './login.ts';
import { environmentLogin, fileLogin } from './login-source.ts';

const secrets = { secretKey: 'planted-1', password: 'planted-2', securityToken: 'planted-3' };
const user = { domainName: 'acme', userName: 'burst', password: secrets.password };

describe('a login', () => {
  test('is an access key, permanent or temporary, a user, or an agency that one of them takes', () => {
    const key = { accessKey: 'AK', secretKey: 'SK' };
    const agency = { agencyName: 'bursting', agencyDomainName: 'owner' };
    expect(loginOf(key, 'f')).toEqual({ kind: 'accessKey', ...key });
    expect(loginOf({ ...key, securityToken: 'T' }, 'f')).toEqual({ kind: 'accessKey', ...key, securityToken: 'T' });
    expect(loginOf(user, 'f')).toEqual({ kind: 'password', ...user });
    const by = { kind: 'accessKey', ...key };
    expect(loginOf({ ...key, ...agency }, 'f')).toEqual({ kind: 'agency', ...agency, by });
    expect(loginOf({ ...user, ...agency }, 'f')).toMatchObject({ kind: 'agency', by: { kind: 'password' } });
  });

  test.each<[LoginFields, string]>([
    [{}, 'has no credentials'],
    [{ accessKey: 'AK' }, 'lacks secretKey'],
    [{ secretKey: secrets.secretKey }, 'lacks accessKey'],
    [{ password: secrets.password }, 'lacks domainName and userName'],
    [{ accessKey: 'AK', ...secrets }, 'has both an access key and a password'],
    [{ ...user, agencyName: 'a' }, 'has an agency without agencyDomainName'],
  ])('that is incomplete names what is missing, and no value: %#', (fields, message) => {
    try {
      loginOf(fields, '/etc/cci');
      throw new Error('it was accepted');
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      expect(error.message).toContain(`/etc/cci ${message}`);
      expect(`${error.message} ${error.remedy}`).not.toContain('planted');
    }
  });

  test('is described without what could be used', () => {
    const temporary = { accessKey: 'HPUAABCDEFG', ...secrets, password: undefined };
    const described = [
      describeLogin({ kind: 'accessKey', ...temporary }),
      describeLogin({ kind: 'password', ...user }),
      describeLogin({
        kind: 'agency',
        agencyName: 'bursting',
        agencyDomainName: 'owner',
        by: { kind: 'password', ...user },
      }),
    ];
    expect(described).toEqual([
      'access key …DEFG (temporary)',
      'IAM user burst of acme',
      'agency bursting of owner, taken by IAM user burst of acme',
    ]);
  });
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spillway-login-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

describe('a login is read', () => {
  test('from the environment, by the names of the SDKs', async () => {
    const source = environmentLogin({ HUAWEICLOUD_SDK_AK: 'AK', HUAWEICLOUD_SDK_SK: 'SK', OTHER: 'x' });
    expect(await source.read()).toEqual({ kind: 'accessKey', accessKey: 'AK', secretKey: 'SK' });
    await expect(environmentLogin({}).read()).rejects.toThrow(/environment \(HUAWEICLOUD_SDK_AK/);
  });

  test('from a file of YAML or JSON', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a.yaml'), 'accessKey: AK\nsecretKey: "SK"\n');
    await writeFile(join(folder, 'a.json'), '{"accessKey":"AK","secretKey":"SK"}');
    const login = { kind: 'accessKey', accessKey: 'AK', secretKey: 'SK' };
    expect(await fileLogin(join(folder, 'a.yaml')).read()).toEqual(login);
    expect(await fileLogin(join(folder, 'a.json')).read()).toEqual(login);
  });

  test('from a folder, as a Secret is mounted', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, '..data'));
    await writeFile(join(folder, 'accessKey'), 'AK');
    await writeFile(join(folder, 'secretKey'), 'SK\n');
    expect(await fileLogin(folder).read()).toEqual({ kind: 'accessKey', accessKey: 'AK', secretKey: 'SK' });
  });

  test('and a file that is missing or broken is named, without what is in it', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'login');
    await expect(fileLogin(file).read()).rejects.toThrow(/login: there is no such file/);
    await writeFile(file, `accessKey: [${secrets.secretKey}`);
    const error: unknown = await fileLogin(file)
      .read()
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: 'unauthorized', message: expect.stringContaining('not valid YAML') });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('planted');
  });
});
