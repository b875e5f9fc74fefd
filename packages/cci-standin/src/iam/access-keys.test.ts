import { expect, test } from 'vitest';
import { randomAccessKey, randomAccount } from '../accounts.ts';
import { signed } from '../testing/client.ts';
import { MovableClock } from '../testing/movable-clock.ts';
import { AccessKeys } from './access-keys.ts';

const url = 'https://cci/api/v1/pods?limit=1';
const clock = new MovableClock();
const { domain, project, users } = randomAccount('cn-north-4');
const identity = { domain, project, user: { id: users[0]?.id ?? '', name: users[0]?.name ?? '' } };

function signedBy(key: Parameters<typeof signed>[0], headers = {}): Parameters<AccessKeys['authenticate']>[0] {
  const all = signed(key, url, { headers }, clock.now());
  return { method: 'GET', target: '/api/v1/pods?limit=1', headers: all, body: new Uint8Array() };
}

test('temporary keys need their security token, and end; so do the streams that they opened', () => {
  const keys = new AccessKeys([], clock);
  const expiresAt = clock.now() + 3_600_000;
  const key = { ...randomAccessKey(), securityToken: 'session', expiresAt };
  keys.add(key, identity);
  expect(keys.authenticate(signedBy(key, { 'X-Security-Token': 'session' }))).toEqual({
    identity: { ...identity, expiresAt },
  });
  expect(keys.authenticate(signedBy(key))).toMatchObject({ refusal: { errorCode: 'APIGW.0301' } });
  clock.moveOn(3_600_000);
  expect(keys.authenticate(signedBy(key, { 'X-Security-Token': 'session' }))).toMatchObject({
    refusal: { message: expect.stringContaining('expired') },
  });
});

test('a revoked key is unknown', () => {
  const keys = new AccessKeys([], clock);
  const key = randomAccessKey();
  keys.add(key, identity);
  expect(keys.authenticate(signedBy(key))).toEqual({ identity });
  keys.revoke(key.accessKey);
  expect(keys.authenticate(signedBy(key))).toMatchObject({
    refusal: { message: expect.stringContaining('not exist') },
  });
});

test('a right signature in between starts the count of failures again', () => {
  const keys = new AccessKeys([], clock);
  const key = randomAccessKey();
  keys.add(key, identity);
  for (let round = 0; round < 3; round++) {
    for (let attempt = 0; attempt < 5; attempt++) {
      expect(keys.authenticate(signedBy({ ...key, secretKey: 'wrong' }))).toHaveProperty('refusal');
    }
    expect(keys.authenticate(signedBy(key))).toEqual({ identity });
  }
});
