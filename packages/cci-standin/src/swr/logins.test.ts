import { expect, test } from 'vitest';
import { randomAccount } from '../accounts.ts';
import { AccessKeys } from '../iam/access-keys.ts';
import { MovableClock } from '../testing/movable-clock.ts';
import { basic, Logins, passwordOf, readBasic } from './logins.ts';

const hour = 3_600_000;

function setUp(): {
  clock: MovableClock;
  keys: AccessKeys;
  logins: Logins;
  project: string;
  username: string;
  password: string;
} {
  const clock = new MovableClock();
  const account = randomAccount('cn-north-4');
  const keys = new AccessKeys([account], clock);
  const [key] = account.users[0]?.accessKeys ?? [];
  if (key === undefined) throw new Error('no key');
  const username = `cn-north-4@${key.accessKey}`;
  return {
    clock,
    keys,
    logins: new Logins(keys, clock),
    project: account.project.id,
    username,
    password: passwordOf(key),
  };
}

test('the password of an access key is the HMAC that the vendor documents', () => {
  // printf AccessKey | openssl dgst -sha256 -hmac SecretKey
  expect(passwordOf({ accessKey: 'AccessKey', secretKey: 'SecretKey' })).toBe(
    'f004a0445bcaf37d946c882a22e1e5f9007ea3513c293aa2d3360af05b8875cd',
  );
});

test('a key logs in for its own project, with its own password, until it is revoked', () => {
  const { keys, logins, project, username, password } = setUp();
  expect(logins.projectOf({ username, password })?.id).toBe(project);
  expect(logins.projectOf({ username, password: password.toUpperCase() })).toBeUndefined();
  expect(logins.projectOf({ username: username.replace('north', 'south'), password })).toBeUndefined();
  keys.revoke(username.slice(username.indexOf('@') + 1));
  expect(logins.projectOf({ username, password })).toBeUndefined();
});

test('a temporary key has no login of its own', () => {
  const { clock } = setUp();
  const account = randomAccount('cn-north-4');
  const temporary = { accessKey: 'TEMPORARY', secretKey: 'SECRET', securityToken: 'T' };
  const users = account.users.map((user) => ({ ...user, accessKeys: [temporary] }));
  const logins = new Logins(new AccessKeys([{ ...account, users }], clock), clock);
  const login = { username: 'cn-north-4@TEMPORARY', password: passwordOf(temporary) };
  expect(logins.projectOf(login)).toBeUndefined();
});

test('a login that was issued is good for six hours, and outlives the next one', () => {
  const { clock, logins, project } = setUp();
  const first = logins.issue({ project: { id: project, name: 'cn-north-4' } });
  clock.moveOn(5 * hour);
  const second = logins.issue({ project: { id: project, name: 'cn-north-4' } });
  expect(logins.projectOf(first)?.id).toBe(project);
  clock.moveOn(2 * hour);
  expect(logins.projectOf(first)).toBeUndefined();
  expect(logins.projectOf(second)?.id).toBe(project);
});

test('a login is read from a header of the scheme Basic, and from no other', () => {
  const login = { username: 'cn-north-4@AK', password: 'a:b' };
  expect(readBasic(`Basic ${basic(login)}`)).toEqual(login);
  expect(readBasic(`Bearer ${basic(login)}`)).toBeUndefined();
  expect(readBasic('Basic bm8gY29sb24=')).toBeUndefined();
  expect(readBasic(undefined)).toBeUndefined();
});
