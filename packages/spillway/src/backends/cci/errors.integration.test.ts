import { type Account, type ErrorCode, errorCodes, randomAccount, type Share } from '@spillway/cci-standin';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Backend, BackendErrorKind } from '../backend.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { Driver } from '../testing/driver.ts';
import type { CciConnection } from './connect.ts';
import { toBackendError } from './errors.ts';
import { accountWithKeys, LocalRegion, podNamed } from './testing/local-region.ts';

const { signal } = new AbortController();
const namespaces = '/api/v1/namespaces';

const namespace = (name: string, annotations: object = {}): object => ({ metadata: { name, annotations } });
const flavor = (value: string): object => ({ 'namespace.kubernetes.io/flavor': value });

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'nothing failed',
    (error: unknown) => toBackendError(error),
  );

describe('what CCI refuses', () => {
  const theirs: Account = randomAccount('cn-north-4');
  let world: LocalRegion;
  let connection: CciConnection;
  let backend: Backend;
  let driver: Driver;

  beforeAll(async () => {
    world = await LocalRegion.start({
      accounts: [accountWithKeys(4), theirs],
      rules: { namespaceQuota: 2, networkNeedsUserToken: true },
    });
    connection = await world.connection(world.key());
    backend = await world.backend({ login: world.user, soldOutAfterSeconds: 2 });
    // The network is refused at first, and made with the token of the user in a header of its own.
    await backend.prepare(signal);
    driver = new Driver(backend);
    await takenByThem();
  });

  afterEach(async () => {
    await stands({ agency: true, arrears: false, frozen: false });
    await world.admin('DELETE', 'faults');
  });

  afterAll(async () => {
    await driver?.finish();
    await world?.[Symbol.asyncDispose]();
  });

  const stands = (standing: object): Promise<unknown> =>
    world.admin('PUT', `accounts/${world.account.domain.id}`, standing);

  /** A namespace of another account. */
  const takenByThem = async (): Promise<void> => {
    const [key] = theirs.users[0]?.accessKeys ?? [];
    const login = { accessKey: key?.accessKey, secretKey: key?.secretKey };
    const other = await world.backend({
      login,
      projectId: theirs.project.id,
      domainId: theirs.domain.id,
      namespaceName: 'taken',
    });
    // Its network needs the token of a user, which a key has not.
    await expect(other.prepare(signal)).rejects.toMatchObject({ reason: 'CCIUnauthorized' });
  };

  const send = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> =>
    connection.client.request({ method, path, retry: false, ...(body && { body }) });

  const claims = `${namespaces}/cce-burst-c1/persistentvolumeclaims`;
  const importing = (
    { id, exportLocation }: Pick<Share, 'id' | 'exportLocation'>,
    storageClassName = 'nfs-rw',
    name = 'one',
  ): Promise<unknown> =>
    send('POST', `${namespaces}/cce-burst-c1/extended-persistentvolumeclaims`, {
      metadata: { name, annotations: { fsType: 'nfs', volumeID: id, deviceMountPath: exportLocation } },
      spec: { resources: { requests: { storage: '1Gi' } }, storageClassName },
    });

  const create = (): Promise<void> => backend.create(podNamed('refused'), signal);

  interface Meaning {
    readonly provoke: () => Promise<unknown>;
    readonly kind: BackendErrorKind;
    readonly reason: string;
    readonly remedy: RegExp;
  }

  const meanings: Readonly<Record<ErrorCode, Meaning>> = {
    'APIGW.0201': {
      provoke: () => send('POST', namespaces, namespace('x'.repeat(13 * 1024 * 1024))),
      kind: 'unavailable',
      reason: 'CCIUnavailable',
      remedy: /support/,
    },
    'APIGW.0301': {
      provoke: async () => {
        const login = { ...world.key(1), secretKey: 'wrong' };
        await (await world.backend({ login })).ping(signal);
      },
      kind: 'unauthorized',
      reason: 'CCIUnauthorized',
      remedy: /access key and secret key/,
    },
    'CCI.01.400103': {
      provoke: async () => await (await world.backend({ clusterId: 'c2' })).prepare(signal),
      kind: 'unauthorized',
      reason: 'CCIUnauthorized',
      remedy: /IAM user \(domainName, userName, password\)/,
    },
    'CCI.01.400105': {
      provoke: () => send('GET', namespaces),
      kind: 'internal',
      reason: 'CCIRequestNotUnderstood',
      remedy: /report it/,
    },
    'CCI.01.400106': {
      provoke: () => importing({ id: '', exportLocation: 'sfs:/a' }),
      kind: 'internal',
      reason: 'CCIRequestNotUnderstood',
      remedy: /report it/,
    },
    'CCI.01.400301': {
      provoke: () => send('DELETE', `${claims}/one?deleteVolume=false&storageType=efs`),
      kind: 'internal',
      reason: 'CCIRequestNotUnderstood',
      remedy: /report it/,
    },
    'CCI.01.400304': {
      provoke: () => send('DELETE', `${claims}/one?deleteVolume=perhaps`),
      kind: 'internal',
      reason: 'CCIRequestNotUnderstood',
      remedy: /report it/,
    },
    'CCI.01.400306': {
      provoke: () => importing({ id: 'none', exportLocation: 'sfs:/a' }),
      kind: 'conflict',
      reason: 'CCIStorage',
      remedy: /volumeHandle/,
    },
    'CCI.01.400307': {
      provoke: () => importing({ id: 'none', exportLocation: 'sfs:/a' }, 'csi-nas'),
      kind: 'internal',
      reason: 'CCIRequestNotUnderstood',
      remedy: /report it/,
    },
    'CCI.01.400309': {
      provoke: async () => {
        const share = await world.region.storage.create('sfs', world.account.project.id);
        await importing(share);
        await importing(share, 'nfs-rw', 'two');
      },
      kind: 'conflict',
      reason: 'CCIStorageImported',
      remedy: /Unbind it/,
    },
    'CCI.01.401102': {
      provoke: async () => {
        await stands({ agency: false });
        await create();
      },
      kind: 'blocked',
      reason: 'CCINotAuthorized',
      remedy: /service authorization/,
    },
    'CCI.01.403009': {
      provoke: async () => {
        await stands({ arrears: true });
        await create();
      },
      kind: 'blocked',
      reason: 'CCIArrears',
      remedy: /Top up the account/,
    },
    'CCI.01.403010': {
      provoke: async () => {
        await stands({ frozen: true });
        await create();
      },
      kind: 'blocked',
      reason: 'CCIFrozen',
      remedy: /support/,
    },
    'CCI.01.403104': {
      provoke: () => send('GET', `${namespaces}/taken`),
      kind: 'unauthorized',
      reason: 'CCIForbidden',
      remedy: /CCI FullAccess/,
    },
    'CCI.01.404101': {
      provoke: async () => {
        await stands({ agency: false });
        await send('GET', '/v1/agency');
      },
      kind: 'blocked',
      reason: 'CCINotAuthorized',
      remedy: /service authorization/,
    },
    'CCI.02.400106': {
      // With c1 and c2 there are as many as there may be.
      provoke: async () => await (await world.backend({ login: world.user, clusterId: 'c3' })).prepare(signal),
      kind: 'quota',
      reason: 'CCIQuota',
      remedy: /quota raised/,
    },
    'CCI.02.400109': {
      provoke: () => send('POST', namespaces, namespace('A_b')),
      kind: 'internal',
      reason: 'CCIConfiguration',
      remedy: /namespaceName/,
    },
    'CCI.02.400110': {
      provoke: () => send('POST', namespaces, namespace('plain')),
      kind: 'internal',
      reason: 'CCIRequestNotUnderstood',
      remedy: /report it/,
    },
    'CCI.02.400111': {
      provoke: () => send('POST', namespaces, namespace('odd', flavor('odd'))),
      kind: 'internal',
      reason: 'CCIRequestNotUnderstood',
      remedy: /report it/,
    },
    'CCI.02.409101': {
      provoke: () => send('POST', namespaces, namespace('taken', flavor('general-computing'))),
      kind: 'conflict',
      reason: 'CCINamespaceTaken',
      remedy: /set namespaceName/,
    },
  };

  test.each(Object.entries(meanings))('%s says what it means and what to do', async (code, meaning) => {
    expect(await failureOf(meaning.provoke())).toMatchObject({
      kind: meaning.kind,
      reason: meaning.reason,
      remedy: expect.stringMatching(meaning.remedy),
      message: expect.stringContaining(code),
    });
  });

  test('with every code that it has', () =>
    expect(Object.keys(meanings).toSorted()).toEqual([...errorCodes].toSorted()));

  test('a namespace that another account has is named, with the way out', async () => {
    const other = await world.backend({ login: world.user, namespaceName: 'taken' });
    expect(await failureOf(other.prepare(signal))).toMatchObject({
      kind: 'blocked',
      reason: 'CCINamespaceTaken',
      message: 'the CCI namespace taken belongs to another account: all accounts share one set of names',
      remedy: expect.stringContaining('namespaceName'),
    });
  });

  test('a credential of another project says which settings to look at', async () => {
    const other = await world.backend({ projectId: theirs.project.id });
    expect(await failureOf(other.ping(signal))).toMatchObject({ kind: 'unauthorized', reason: 'CCIForbidden' });
  });

  test('a key that is locked is not the fault of its secret, and says how long', async () => {
    const wrong = { ...world.key(2), secretKey: 'wrong' };
    for (let attempt = 0; attempt < 6; attempt++) {
      const other = await world.backend({ login: wrong });
      await failureOf(other.ping(signal));
    }
    expect(await failureOf((await world.backend({ login: world.key(2) })).ping(signal))).toMatchObject({
      kind: 'unauthorized',
      message: expect.stringContaining('AK access failed to reach the limit'),
      remedy: expect.stringContaining('five minutes'),
    });
  });

  test('too many calls are tried again when CCI says, and then done', async () => {
    await world.admin('POST', 'faults', { kind: 'answer', status: 429, path: '/pods$', times: 1 });
    await backend.list(signal);
    await world.admin('POST', 'faults', { kind: 'answer', status: 429, path: '/cce-burst-c1$', times: 1 });
    expect(await failureOf(send('GET', `${namespaces}/cce-burst-c1`))).toMatchObject({
      kind: 'throttled',
      retryAfterMs: 1000,
    });
  });

  test.each([500, 502, 503, 504])('status %i is CCI being away', async (status) => {
    await world.admin('POST', 'faults', { kind: 'answer', status, path: '/cce-burst-c1$', times: 1 });
    expect(await failureOf(send('GET', `${namespaces}/cce-burst-c1`))).toMatchObject({ kind: 'unavailable' });
  });

  test.each(['arrears', 'frozen'])('%s stops new pods only, and goes by itself', async (state) => {
    const before = await driver.run(podNamed('before'));
    await driver.reaches(before, 'running');
    await stands({ [state]: true });
    const next = podNamed('next');
    await expect(backend.create(next, signal)).rejects.toMatchObject({ kind: 'blocked' });
    // The node stays Ready, and what runs is seen.
    await backend.ping(signal);
    expect(await driver.find(before.ref)).toMatchObject({ state: 'running' });
    await stands({ [state]: false });
    await backend.create(next, signal);
    await driver.reaches(next, 'running');
    for (const { ref } of [before, next]) await backend.remove(ref, signal);
  });

  test('an authorization that was taken back is given again by the next preparation', async () => {
    await stands({ agency: false });
    await expect(backend.ping(signal)).rejects.toMatchObject({ kind: 'blocked' });
    await backend.prepare(signal);
    await backend.ping(signal);
  });

  test('a pod for which nothing is left is seen without a place, and can be taken back, until there is room', async () => {
    await world.admin('POST', 'faults', { kind: 'soldOut' });
    const wanted = podNamed('wanted');
    await backend.create(wanted, signal);
    await eventually('it is seen without a place', async () => (await driver.find(wanted.ref))?.unplaced !== undefined);
    expect(await backend.withdraw?.(wanted.ref, signal)).toBe(true);
    await eventually('it is gone', async () => (await driver.find(wanted.ref)) === undefined);
    await world.admin('DELETE', 'faults');
    await backend.create(wanted, signal);
    await driver.reaches(wanted, 'running');
    expect(await backend.withdraw?.(wanted.ref, signal)).toBe(false);
    await backend.remove(wanted.ref, signal);
  });
});
