import { ApiError } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import type { BackendError } from '../../backend.ts';
import { type CciDialect, dialects } from '../dialects.ts';
import { place } from '../testing/account.ts';
import { clusterLabel, namespaceName } from './namespace.ts';
import { prepare, type PrepareRequest } from './prepare.ts';

const refusal = (status: number, errorCode?: string): ApiError =>
  new ApiError(`status ${status}`, { status, ...(errorCode !== undefined && { answer: { body: { errorCode } } }) });

/** An account as CCI sees it. */
class World {
  now = 0;
  agencies: unknown[] = [{ id: 'a' }];
  namespace: Record<string, unknown> | undefined;
  network: { spec?: object; status: Record<string, unknown> } | undefined;
  token: string | undefined;
  /** Network states one after the other */
  states: string[];
  readonly sent: PrepareRequest[] = [];
  readonly progress: string[] = [];
  readonly failures = new Map<string, ApiError[]>();
  readonly dialect: CciDialect;
  readonly name: string;

  constructor(dialect: CciDialect = dialects.v1) {
    this.dialect = dialect;
    this.states = [dialect.network.ready];
    this.name = `${dialect.namespacePrefix}c1`;
  }

  fail(request: string, ...errors: ApiError[]): void {
    this.failures.set(request, errors);
  }

  async prepare(signal = new AbortController().signal): Promise<void> {
    await prepare(
      {
        dialect: this.dialect,
        send: (request) => this.#answer(request),
        userToken: () => this.token,
        clusterId: 'c1',
        namespace: this.name,
        network: place,
        onProgress: (says, remedy) => this.progress.push(remedy === undefined ? says : `${says}. ${remedy}`),
        clock: {
          now: () => this.now,
          sleep: (ms) => {
            this.now += ms;
            return Promise.resolve();
          },
        },
      },
      signal,
    );
  }

  async failure(): Promise<BackendError> {
    return await this.prepare().then(
      () => Promise.reject(new Error('it did not fail')),
      (error: BackendError) => error,
    );
  }

  created(): string[] {
    return this.sent.filter(({ method }) => method === 'POST').map(({ path }) => path);
  }

  async #answer(request: PrepareRequest): Promise<unknown> {
    this.sent.push(request);
    const { method, path, body } = request;
    const last = path.split('/').at(-1) ?? '';
    const error = this.failures.get(`${method} ${last}`)?.shift();
    if (error !== undefined) throw error;
    if (last === 'agency') {
      if (method === 'POST') this.agencies.push({});
      return this.agencies;
    }
    if (last === 'networks') {
      const state = this.states.length > 1 ? this.states.shift() : this.states[0];
      if (method === 'POST') this.network = { ...body, status: {} };
      if (this.network !== undefined) this.network.status = { [this.dialect.network.stateField]: state };
      return { items: this.network === undefined ? [] : [this.network] };
    }
    if (method === 'POST') this.namespace = { ...body };
    if (this.namespace === undefined) throw refusal(404);
    return this.namespace;
  }
}

describe('what pods need', () => {
  test.each(Object.values(dialects))(
    'is made in its order, and found the next time: CCI $apiVersion',
    async (dialect) => {
      const world = new World(dialect);
      world.agencies = [];
      await world.prepare();
      expect(world.created()).toEqual([
        '/v1/agency',
        dialect.namespace.path,
        dialect.network.path.replace('{namespace}', world.name),
      ]);
      await world.prepare();
      expect(world.created()).toHaveLength(3);
    },
  );

  test('is a namespace that says whose it is, of the general flavor', async () => {
    const world = new World();
    await world.prepare();
    expect(world.namespace).toEqual({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: 'cce-burst-c1',
        labels: { [clusterLabel]: 'c1' },
        annotations: { 'namespace.kubernetes.io/flavor': 'general-computing' },
      },
    });
  });

  test('is a network in the subnet, with both spellings of the annotations', async () => {
    const world = new World();
    await world.prepare();
    expect(world.network).toMatchObject({
      apiVersion: 'networking.cci.io/v1beta1',
      metadata: {
        annotations: {
          'network.alpha.kubernetes.io/default-security-group': 'g1',
          'network.alpha.kubernetes.io/domain-id': 'd1',
          'network.alpha.kubernetes.io/domain_id': 'd1',
          'network.alpha.kubernetes.io/project-id': 'p1',
          'network.alpha.kubernetes.io/project_id': 'p1',
        },
      },
      spec: {
        attachedVPC: 'v1',
        networkType: 'underlay_neutron',
        networkID: 'n1',
        subnetID: 's1',
        availableZone: 'z1',
      },
    });
    const second = new World(dialects.v2);
    await second.prepare();
    expect(second.network).toMatchObject({
      apiVersion: 'yangtse/v2',
      metadata: { annotations: { 'yangtse.io/domain-id': 'd1', 'yangtse.io/project-id': 'p1' } },
      spec: { securityGroups: ['g1'], subnets: [{ subnetID: 's1' }], ipFamilies: ['IPv4'] },
    });
  });
});

describe('the authorization', () => {
  test('that is missing is granted, also when CCI says so by a code', async () => {
    const world = new World();
    world.fail('GET agency', refusal(404, 'CCI.01.404101'));
    await world.prepare();
    expect(world.created()[0]).toBe('/v1/agency');
  });

  test('that may not be looked at is left to the administrator', async () => {
    const world = new World();
    world.fail('GET agency', refusal(403));
    await world.prepare();
    expect(world.created()[0]).toBe('/api/v1/namespaces');
  });

  test('that nobody gave is told with what to do', async () => {
    const world = new World();
    world.fail('GET agency', refusal(403));
    world.fail('POST namespaces', refusal(401, 'CCI.01.401102'));
    expect(await world.failure()).toMatchObject({ kind: 'blocked', remedy: expect.stringContaining('authorization') });
  });
});

describe('the namespace', () => {
  test('that another replica made in the meantime is ours', async () => {
    const world = new World();
    world.fail('GET cce-burst-c1', refusal(404));
    world.fail('POST namespaces', refusal(409, 'CCI.02.409101'));
    world.namespace = { metadata: { labels: { [clusterLabel]: 'c1' } } };
    await world.prepare();
  });

  test.each([
    ['of another cluster names it', { labels: { [clusterLabel]: 'c2' } }, /belongs to the cluster c2/],
    ['that Spillway did not make is left alone', { labels: {} }, /did not create it/],
  ])('%s', async (_, metadata, message) => {
    const world = new World();
    world.namespace = { metadata };
    const error = await world.failure();
    expect(error).toMatchObject({ kind: 'blocked', reason: 'CCINamespaceTaken' });
    expect(error.message).toMatch(message);
    expect(world.created()).toEqual([]);
  });

  test.each([403, 404])('that another account has (409, then %i) says so and names the way out', async (status) => {
    const world = new World();
    world.fail('GET cce-burst-c1', refusal(status), refusal(status));
    world.fail('POST namespaces', refusal(409, 'CCI.02.409101'));
    const error = await world.failure();
    expect(error.message).toBe(
      'the CCI namespace cce-burst-c1 belongs to another account: all accounts share one set of names',
    );
    expect(error.remedy).toContain('namespaceName');
  });

  test('that is being deleted is waited for by trying later', async () => {
    const world = new World();
    world.namespace = { metadata: { labels: { [clusterLabel]: 'c1' }, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(await world.failure()).toMatchObject({ kind: 'unavailable', reason: 'CCINamespaceEnding' });
  });

  test('over the quota says how many an account has', async () => {
    const world = new World();
    world.fail('POST namespaces', refusal(400, 'CCI.02.400106'));
    expect(await world.failure()).toMatchObject({
      kind: 'quota',
      message: expect.stringContaining('five in a region'),
    });
  });

  test('is named after the cluster, if it can be', () => {
    expect(namespaceName(dialects.v1, 'c1', undefined)).toBe('cce-burst-c1');
    expect(namespaceName(dialects.v2, 'c1', undefined)).toBe('bursting-c1');
    expect(namespaceName(dialects.v1, 'C_1', 'mine')).toBe('mine');
    expect(namespaceName(dialects.v1, 'a'.repeat(53), undefined)).toHaveLength(63);
    for (const id of ['C1', 'a.b', 'a'.repeat(54)]) {
      expect(() => namespaceName(dialects.v1, id, undefined)).toThrow(/cluster ID/);
    }
  });
});

describe('the network', () => {
  test('is waited for, and each step is told once', async () => {
    const world = new World();
    world.states = ['Initializing', 'Initializing', 'Pending', 'Pending', 'Pending', 'Active'];
    await world.prepare();
    expect(world.progress).toEqual(['the network of CCI was created', 'the network of CCI is Pending']);
  });

  test('that stays Pending says what to check, and later that it is given up', async () => {
    const world = new World();
    world.states = ['Pending'];
    expect(await world.failure()).toMatchObject({
      kind: 'unavailable',
      message: 'the network of CCI is Pending for 10 minutes',
      remedy: expect.stringContaining('Neutron'),
    });
    expect(world.progress.at(-1)).toMatch(/^the network of CCI is Pending\. Check that vpcId, networkId and subnetId/);
  });

  test('that failed says so at once', async () => {
    const world = new World(dialects.v2);
    world.states = ['Failed'];
    expect(await world.failure()).toMatchObject({ message: 'the network of CCI is Failed' });
    expect(world.now).toBeLessThan(30_000);
  });

  test('of another subnet is not used silently', async () => {
    const world = new World();
    world.network = { spec: { subnetID: 'other' }, status: {} };
    expect(await world.failure()).toMatchObject({
      kind: 'blocked',
      message: expect.stringContaining('in the subnet other, not in s1'),
    });
  });

  test('is created with the token of the user when CCI wants it', async () => {
    const world = new World();
    world.token = 'T1';
    world.fail('POST networks', refusal(400, 'CCI.01.400103'));
    await world.prepare();
    expect(world.sent.filter(({ method }) => method === 'POST').at(-1)?.headers).toEqual({ 'x-user-token': 'T1' });
    const withoutToken = new World();
    withoutToken.fail('POST networks', refusal(400, 'CCI.01.400103'));
    expect(await withoutToken.failure()).toMatchObject({
      kind: 'unauthorized',
      remedy: expect.stringContaining('IAM'),
    });
  });

  test('that another replica created is used', async () => {
    const world = new World();
    world.fail('POST networks', refusal(409));
    const asked = world.prepare();
    world.network = { spec: { subnetID: 's1' }, status: {} };
    await asked;
  });

  test('is no longer waited for when its caller gives up', async () => {
    const world = new World();
    world.states = ['Pending'];
    await expect(world.prepare(AbortSignal.abort())).rejects.toMatchObject({ kind: 'unavailable' });
  });
});
