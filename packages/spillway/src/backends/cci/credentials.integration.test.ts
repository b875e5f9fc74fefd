import { offered } from '../testing/offered.ts';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Account, randomAccessKey } from '@spillway/cci-standin';
import { type Clock, systemClock } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MovableClock } from '../../../../cci-standin/src/testing/movable-clock.ts';
import type { ExecResult, InstanceRef } from '../backend.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { podName } from '../kubernetes/pods/names.ts';
import { openStreams } from '../kubernetes/pods/streams.ts';
import { Driver } from '../testing/driver.ts';
import type { CciConnection } from './connect.ts';
import { accountWithKeys, LocalRegion, podNamed, writeCredentials } from './testing/local-region.ts';

const { signal } = new AbortController();
const minute = 60_000;
const namespace = '/api/v1/namespaces/cce-burst-c1';

/** Its last key is a temporary one that expires in five minutes. */
function account(): Account {
  const made = accountWithKeys(6);
  const temporary = { ...randomAccessKey(), securityToken: 'temporary', expiresAt: Date.now() + 5 * minute };
  return { ...made, users: made.users.map((user) => ({ ...user, accessKeys: [...user.accessKeys, temporary] })) };
}

const hello = async ({ client }: CciConnection, ref: InstanceRef): Promise<{ result: ExecResult; said: string }> => {
  const stdout = new PassThrough();
  const said = text(stdout);
  const command = { container: 'main', command: ['echo', 'hello'] };
  const path = `${namespace}/pods/${podName(ref)}/exec`;
  const result = await openStreams(client, path, command, offered({ tty: false, stdout }), signal).finally(() =>
    stdout.end(),
  );
  return { result, said: await said };
};

describe('who Spillway is for CCI', () => {
  const regionClock = new MovableClock();
  let world: LocalRegion;

  beforeAll(async () => {
    world = await LocalRegion.start({ accounts: [account()], clock: regionClock });
    await (await world.backend({ login: world.user })).prepare(signal);
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  const failuresOf = ({ accessKey }: { accessKey: string }): Promise<unknown> =>
    world.admin('GET', `access-keys/${accessKey}`);

  test('a wrong key is tried once, however many calls there are, and is not locked', async () => {
    const backend = await world.backend({ login: { ...world.key(0), secretKey: 'wrong' } });
    const calls = Array.from({ length: 20 }, () => backend.ping(signal));
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { kind: 'unauthorized', reason: 'CCIUnauthorized' } });
    }
    expect(await failuresOf(world.key(0))).toEqual({ failures: 1, locked: false });
    const right = await world.backend({ login: world.key(0) });
    await right.ping(signal);
  });

  test('a key that goes bad costs one attempt and one probe; the next one is used when it is there', async () => {
    const key = world.account.users[0]?.accessKeys.at(-1) ?? randomAccessKey();
    const login = { accessKey: key.accessKey, secretKey: key.secretKey, securityToken: key.securityToken };
    const file = await world.credentials(login);
    const clock = new MovableClock();
    const backend = await world.backend({ file, clock });
    await backend.ping(signal);
    regionClock.moveOn(6 * minute);
    try {
      await expect(backend.ping(signal)).rejects.toMatchObject({
        kind: 'unauthorized',
        message: expect.stringContaining('security token expired'),
      });
      const calls = Array.from({ length: 20 }, () => backend.ping(signal));
      const results = await Promise.allSettled(calls);
      expect(results.every(({ status }) => status === 'rejected')).toBe(true);
      expect(await failuresOf(key)).toEqual({ failures: 2, locked: false });
      await writeCredentials(file, world.key(1));
      // The file is looked at every ten seconds.
      clock.moveOn(10_000);
      await backend.ping(signal);
    } finally {
      regionClock.moveOn(-6 * minute);
    }
  });

  test.each([20, -20])('a clock that is %i minutes off is set right by what CCI says', async (minutes) => {
    const clock: Clock = { now: () => Date.now() + minutes * minute, sleep: systemClock.sleep };
    const backend = await world.backend({ login: world.key(2), clock });
    await backend.ping(signal);
    expect(await failuresOf(world.key(2))).toEqual({ failures: 0, locked: false });
  });

  test('a clock that jumps while calls are made does not fail one', async () => {
    const clock = new MovableClock();
    const backend = await world.backend({ login: world.key(2), clock });
    await backend.ping(signal);
    clock.moveOn(20 * minute);
    await backend.ping(signal);
    clock.moveOn(-20 * minute);
    await backend.ping(signal);
  });

  test('a key that is replaced and revoked under load fails no call, and a watch goes on', async () => {
    const file = await world.credentials(world.key(3));
    const backend = await world.backend({ file });
    await backend.prepare(signal);
    const driver = new Driver(backend);
    await driver.reaches(await driver.run(podNamed('before')), 'running');
    let calls = 0;
    const enough = new AbortController();
    const worker = async (): Promise<void> => {
      while (!enough.signal.aborted) {
        await backend.list(signal);
        calls += 1;
      }
    };
    const load = Promise.all([worker(), worker(), worker(), worker()]);
    await eventually('calls are made with the old key', () => calls > 20);
    await writeCredentials(file, world.key(4));
    await world.admin('DELETE', `access-keys/${world.key(3).accessKey}`);
    const revoked = calls;
    await Promise.race([load, eventually('calls are made with the new key', () => calls > revoked + 20)]);
    const after = await driver.run(podNamed('after'));
    await eventually('the watch tells of a pod that came later', () =>
      driver.events.some((event) => event.type === 'changed' && event.instance.ref.uid === after.ref.uid),
    );
    enough.abort();
    await load;
    await driver.finish();
  });

  test('a token that expires in the middle of a watch is renewed, and no event is lost', async () => {
    const backend = await world.backend({ login: world.user });
    await backend.prepare(signal);
    const driver = new Driver(backend);
    const [first, second] = [await driver.run(podNamed('first')), await driver.run(podNamed('second'))];
    await driver.reaches(first, 'running');
    const dayAndMore = 24 * 60 * minute + 1000;
    // While the new watch is turned away, nobody sees what happens.
    await world.admin('POST', 'faults', { kind: 'answer', status: 503, path: '/pods$' });
    regionClock.moveOn(dayAndMore);
    try {
      await world.region.cluster.kubectl(['delete', 'pod', podName(first.ref), '-n', 'cce-burst-c1', '--force']);
      await world.admin('DELETE', 'faults');
      // What a list lacks is no event: who is told of a gap lists, and finds out.
      await eventually('the watch tells that something may have been missed', () =>
        driver.events.some(({ type }) => type === 'gap'),
      );
      expect(await driver.find(first.ref)).toBeUndefined();
      expect(await driver.find(second.ref)).toBeDefined();
      await driver.reaches(await driver.run(podNamed('third')), 'running');
      await driver.finish();
    } finally {
      regionClock.moveOn(-dayAndMore);
    }
  });

  describe('a remote command', () => {
    let driver: Driver;
    let ref: InstanceRef;

    beforeAll(async () => {
      const backend = await world.backend({ login: world.user });
      await backend.prepare(signal);
      driver = new Driver(backend);
      const web = await driver.run(podNamed('web'));
      await driver.reaches(web, 'running');
      ({ ref } = web);
    });
    afterAll(() => driver.finish());

    test('renews a token that was revoked', async () => {
      const connection = await world.connection(world.user);
      await connection.client.request({ method: 'GET', path: namespace });
      await world.admin('DELETE', 'tokens');
      expect(await hello(connection, ref)).toEqual({ result: { exitCode: 0 }, said: 'hello\n' });
    });

    test('tells that a key was revoked: no other call is made with it', async () => {
      const connection = await world.connection(world.key(5));
      expect(await hello(connection, ref)).toMatchObject({ said: 'hello\n' });
      await world.admin('DELETE', `access-keys/${world.key(5).accessKey}`);
      const paused = { kind: 'unauthorized', message: expect.stringContaining('so Spillway makes no calls with it') };
      await expect(hello(connection, ref)).rejects.toMatchObject(paused);
      await expect(connection.client.request({ method: 'GET', path: namespace })).rejects.toMatchObject(paused);
    });
  });
});
