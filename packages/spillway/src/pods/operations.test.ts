import {
  ApiError,
  configMaps,
  persistentVolumes,
  systemClock,
  type KubeClient,
  type Pod,
  pods,
  secrets,
  type Service,
  TransportError,
} from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { type Backend, BackendError, type Notice, type Workload } from '../backends/backend.ts';
import { GonePods } from './instances/gone-pods.ts';
import { Operations } from './operations.ts';
import type { PodLink } from './pod-link.ts';
import { type Support, unknownSupport } from '../podspec/fit/support.ts';
import { sized } from '../podspec/testing/sized-specs.ts';
import { instanceRef } from '../podspec/pod-facts.ts';
import type { Content, Operation, Outcome } from './core/pod-state.ts';
import type { WatchedObject } from './references/reference-watches.ts';
import { type FakeAnswers, fakeClient } from './testing/fake-client.ts';
import { testInstance, testPod } from './testing/objects.ts';
import { instanceSeen, newPod } from './core/transitions.ts';

const { signal } = new AbortController();

const capabilities = { runtimeVersion: 'fake://1', logs: true, exec: true, volumeUpdates: false };

interface Setup {
  readonly operations: Operations;
  readonly created: Workload[];
  readonly calls: string[];
  readonly notices: Notice[];
  readonly defects: unknown[];
}

interface Linked {
  readonly link: PodLink;
  readonly services: readonly Service[];
}

function setUp(
  answers: FakeAnswers = {},
  fail?: unknown,
  rightCluster = true,
  more: Partial<Backend> = {},
  { link, services = [] }: Partial<Linked> = {},
): Setup {
  const created: Workload[] = [];
  const calls: string[] = [];
  const notices: Notice[] = [];
  const defects: unknown[] = [];
  const call = async (what: string): Promise<void> => {
    calls.push(what);
    if (fail !== undefined) throw fail;
  };
  const backend: Pick<Backend, 'capabilities' | 'support' | 'create' | 'withdraw' | 'stop' | 'remove'> = {
    capabilities,
    support: unknownSupport,
    create: async (workload) => {
      await call('create');
      created.push(workload);
    },
    stop: (ref, { graceSeconds }) => call(`stop ${ref.uid} ${graceSeconds}`),
    remove: (ref) => call(`remove ${ref.uid}`),
    ...more,
  };
  const client: Pick<KubeClient, 'resource'> = fakeClient(answers);
  const operations = new Operations({
    backend,
    client,
    gonePods: new GonePods({ client, nodeName: 'virtual-kubelet', confirmCluster: async () => rightCluster }),
    references: { client, services: () => services },
    link,
    facts: () => ({
      hostIPs: ['10.0.0.1'],
      allocatable: {},
      dns: { clusterServers: ['10.96.0.10'], clusterDomain: 'cluster.local' },
    }),
    obstacle: async () => undefined,
    record: (_, notice) => void notices.push(notice),
    onDefect: (error) => void defects.push(error),
  });
  return { operations, created, calls, notices, defects };
}

function perform({ operations }: Setup, operation: Operation, pod: Pod = testPod()): Promise<Outcome> {
  const bound = { pod, ref: instanceRef(pod), refusals: [], nowMs: 0 };
  return operations.perform(operation, newPod(bound, { listed: true, inherited: false }), signal);
}

const create: Operation = { kind: 'create', again: false };
const notFound = new ApiError('not found', { status: 404, reason: 'NotFound' });

const podWithReferences = testPod({
  spec: {
    serviceAccountName: 'robot',
    containers: [
      {
        name: 'app',
        image: 'x',
        env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'a' } } }],
        envFrom: [{ configMapRef: { name: 'maybe', optional: true } }],
      },
    ],
    volumes: [
      { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 600 } }] } },
    ],
  },
});

const claimObjection: Support['claimObjection'] = (_, state) =>
  state?.kind === 'bound' ? { code: 'claim-storage-unsupported', detail: 'it is on a disk' } : undefined;

const claimIn = (phase: string): object => ({
  metadata: { uid: 'u' },
  spec: { volumeName: 'pv' },
  status: { phase },
});

describe('creating a pod with a claim', () => {
  const pod = testPod({
    spec: {
      containers: [{ name: 'app', image: 'x' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
  });
  const volume = { metadata: { name: 'pv' }, spec: { claimRef: { uid: 'u' } } };
  /** A cluster with this claim, and what was read in it. */
  const withClaim = (claim: object | undefined, more: Partial<Backend> = {}): Setup & { readonly read: string[] } => {
    const read: string[] = [];
    const get: FakeAnswers['get'] = async ({ plural }, { name }) => {
      read.push(`${plural}/${name}`);
      if (plural === persistentVolumes.plural) return volume;
      if (claim === undefined) throw notFound;
      return claim;
    };
    return { ...setUp({ get }, undefined, true, more), read };
  };

  it('hands the backend the volume that it is bound to', async () => {
    const setup = withClaim(claimIn('Bound'));
    expect(await perform(setup, create, pod)).toMatchObject({ ok: true });
    expect(setup.created[0]?.claims.get('data')).toMatchObject({ namespace: 'default', volume });
  });

  it.each([
    ['is not there', undefined, 'does not exist', ['persistentvolumeclaims/data']],
    // A node may not read volumes of others.
    ['is not bound', claimIn('Pending'), 'is not bound to a volume yet', ['persistentvolumeclaims/data']],
  ])('waits when it %s', async (_, claim, message, read) => {
    const setup = withClaim(claim);
    const outcome = await perform(setup, create, pod);
    expect(outcome).toMatchObject({
      ok: false,
      problem: { kind: 'missingReference', notices: [{ reason: 'FailedMount' }] },
    });
    expect(JSON.stringify(outcome)).toContain(message);
    expect([setup.created, setup.read]).toEqual([[], read]);
  });

  it('waits when the backend cannot mount it', async () => {
    const setup = withClaim(claimIn('Bound'), { support: { ...unknownSupport, claimObjection } });
    expect(await perform(setup, create, pod)).toMatchObject({
      ok: false,
      problem: {
        kind: 'missingReference',
        reason: 'NotSupportedByPool',
        notices: [{ message: expect.stringContaining('it is on a disk') as unknown }],
      },
    });
    expect(setup.created).toEqual([]);
  });
});

describe('creating', () => {
  it('comes before a debug container that somebody added meanwhile: that is a change of what was created', async () => {
    const debugged = testPod();
    debugged.spec = { ...debugged.spec, containers: [], ephemeralContainers: [{ name: 'debugger', image: 'busybox' }] };
    const setup = setUp();
    const outcome = await perform(setup, create, debugged);
    expect(setup.created[0]?.pod.spec).not.toHaveProperty('ephemeralContainers');
    const { revision } = newPod(
      { pod: debugged, ref: instanceRef(debugged), refusals: [], nowMs: 0 },
      { listed: true, inherited: false },
    );
    expect(setup.created[0]?.revision).not.toBe(revision);
    expect(outcome).toMatchObject({ ok: true, content: { revision: setup.created[0]?.revision } });
  });

  it('reads exactly what the pod refers to, asks for a token that is bound to it, and hands all of it to the backend', async () => {
    const requests: unknown[] = [];
    const setup = setUp({
      get: async (type, ref) => {
        requests.push([type.plural, ref.namespace, ref.name]);
        if (type.plural === configMaps.plural) throw notFound;
        return { data: { a: Buffer.from('value').toString('base64') } } as object;
      },
      create: async (type, object, options) => {
        requests.push([type.plural, object, options]);
        return { status: { token: 'bound-token' } } as object;
      },
    });
    expect(await perform(setup, create, podWithReferences)).toMatchObject({ ok: true });
    expect(requests).toContainEqual([secrets.plural, 'default', 's']);
    expect(requests).toContainEqual([
      'serviceaccounts',
      expect.objectContaining({
        spec: {
          audiences: [],
          expirationSeconds: 600,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web-0', uid: 'uid-1' },
        },
      }),
      expect.objectContaining({ subresource: 'token', namespace: 'default', name: 'robot' }),
    ]);
    const [workload] = setup.created;
    expect(workload?.ref.uid).toBe('uid-1');
    expect(workload?.environment.get('app')).toContainEqual(expect.objectContaining({ name: 'A' }));
    expect(JSON.stringify([...(workload?.volumes ?? [])])).toContain('token');
    expect(setup.calls).toEqual(['create']);
  });

  it('says once what the backend cannot do: a first attempt, and not the next', async () => {
    const setup = setUp({ get: async () => ({ data: {} }) as object });
    const volumes = [{ name: 'settings', configMap: { name: 'settings' } }];
    const pod = testPod({ spec: { containers: [], volumes } });
    await perform(setup, create, pod);
    await perform(setup, { kind: 'create', again: true }, pod);
    expect(setup.notices.map(({ reason }) => reason)).toEqual(['VolumesStay']);
  });

  it('gives the backend the pod in its size, which variables tell as well, and says once what was added', async () => {
    const setup = setUp();
    const spec = {
      containers: [
        {
          name: 'app',
          image: 'x',
          resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '100m' } },
          env: [{ name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } }],
        },
      ],
    };
    const pod = testPod({ spec });
    const bound = { pod, ref: instanceRef(pod), refusals: [], sized: sized(pod, 'cci'), nowMs: 0 };
    const state = newPod(bound, { listed: true, inherited: false });
    expect(await setup.operations.perform(create, state, signal)).toMatchObject({ ok: true });
    await setup.operations.perform({ kind: 'create', again: true }, state, signal);
    const [workload] = setup.created;
    const size = { cpu: '2', memory: '4Gi' };
    expect(workload?.pod.spec?.containers[0]?.resources).toEqual({ requests: size, limits: size });
    expect(workload?.environment.get('app')).toContainEqual(
      expect.objectContaining({ name: 'MEMORY', value: [String(4 * 2 ** 30)] }),
    );
    expect(setup.notices.filter(({ reason }) => reason === 'SizeAdjusted')).toEqual([
      {
        severity: 'Normal',
        reason: 'SizeAdjusted',
        message:
          'The pod runs with cpu 2, memory 4Gi instead of the specified cpu 2, memory 1Gi. Container app got memory 3Gi more: pods have cpu in steps of 250m, memory in steps of 1Gi, and 2Gi to 8Gi of memory for each CPU.',
      },
    ]);
  });

  it('does not reach the backend when a Secret is missing, and says what the kubelet says', async () => {
    const setup = setUp({
      get: () => Promise.reject(notFound),
      create: async () => ({ status: { token: 't' } }) as object,
    });
    const outcome = await perform(setup, create, podWithReferences);
    expect(outcome).toMatchObject({
      ok: false,
      problem: {
        kind: 'missingReference',
        reason: 'CreateContainerConfigError',
        message: 'secret "s" not found',
        notices: [
          { reason: 'Failed', message: 'Error: secret "s" not found' },
          { reason: 'MandatorySecretNotFound', message: 'Mandatory Secret "s" not found' },
        ],
      },
    });
    expect(setup.calls).toEqual([]);
  });

  it('never takes a refusal for an absence: the authoriser may only lag behind', async () => {
    let refusals = 0;
    const setup = setUp({
      get: async (type) => {
        refusals += 1;
        if (refusals < 5) throw new ApiError('no relationship found', { status: 403, reason: 'Forbidden' });
        if (type.plural === configMaps.plural) throw notFound;
        return { data: { a: '' } } as object;
      },
      create: async () => ({ status: { token: 't' } }) as object,
    });
    expect(await perform(setup, create, podWithReferences)).toMatchObject({ ok: true });
  });

  it('fails for now when the API server does not answer, also for what is optional', async () => {
    const setup = setUp({
      get: () => Promise.reject(new TransportError('unreachable', 'no connection')),
      create: async () => ({ status: { token: 't' } }) as object,
    });
    expect(await perform(setup, create, podWithReferences)).toMatchObject({ ok: false, problem: { kind: 'api' } });
    expect(setup.calls).toEqual([]);
  });
});

describe('a pod of a pool with link agents', () => {
  const link: PodLink = {
    obstacle: undefined,
    nameServer: '127.0.0.1',
    withAgent: (pod) => ({
      ...pod,
      spec: { containers: [], ...pod.spec, initContainers: [{ name: 'spillway-link', image: 'agent:1' }] },
    }),
  };
  const kubernetes = {
    metadata: { namespace: 'default', name: 'kubernetes' },
    spec: { clusterIP: '10.96.0.1', ports: [{ port: 443 }] },
  };
  const linked = (more: Partial<PodLink> = {}): Setup =>
    setUp({}, undefined, true, {}, { link: { ...link, ...more }, services: [kubernetes] });

  it('gets its agent, asks it for names, and is told Services by name', async () => {
    const setup = linked();
    expect(await perform(setup, create, testPod())).toMatchObject({ ok: true });
    const [workload] = setup.created;
    expect(workload?.pod.spec?.initContainers?.map(({ name }) => name)).toEqual(['spillway-link']);
    expect(workload?.dns?.servers).toEqual(['127.0.0.1']);
    expect(workload?.clusterServices).toBe(true);
    const [[, variables] = []] = workload?.environment ?? [];
    expect(variables).toContainEqual({ name: 'KUBERNETES_SERVICE_HOST', value: ['kubernetes.default.svc'] });
  });

  it('is the same pod as without: its revision stays what it is', async () => {
    const [without, withIt] = [setUp(), linked()];
    await perform(without, create, testPod());
    await perform(withIt, create, testPod());
    expect(withIt.created[0]?.revision).toBe(without.created[0]?.revision);
  });

  it('has none if it does not ask the cluster for names', async () => {
    const setup = linked();
    await perform(setup, create, testPod({ spec: { containers: [], dnsPolicy: 'Default' } }));
    expect(setup.created[0]?.pod.spec).not.toHaveProperty('initContainers');
    expect(setup.created[0]?.clusterServices).toBeUndefined();
  });

  it('waits until agents can trust the server', async () => {
    const setup = linked({ obstacle: { kind: 'missingReference', message: 'no certificate yet' } });
    expect(await perform(setup, create, testPod())).toMatchObject({
      ok: false,
      problem: { message: 'no certificate yet' },
    });
    expect(setup.created).toEqual([]);
  });
});

const contentOf = (outcome: Outcome): Content => {
  if (!outcome.ok || outcome.content === undefined) throw new Error('no content');
  return outcome.content;
};

describe('updating volumes', () => {
  const nowMs = 1_000_000;
  const pod = testPod({
    spec: {
      containers: [
        { name: 'app', image: 'x', env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'once', key: 'a' } } }] },
      ],
      volumes: [
        { name: 'settings', configMap: { name: 'settings' } },
        { name: 'fixed', secret: { secretName: 'fixed' } },
        { name: 'maybe', configMap: { name: 'maybe', optional: true } },
        { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 600 } }] } },
      ],
    },
  });

  function world(): {
    data: Map<string, object>;
    read: string[];
    changes: (readonly string[])[];
    /** ConfigMaps that the backend was told to do without. */
    absent: (readonly string[] | undefined)[];
    followed: (readonly WatchedObject[])[];
    operate: (operation: Operation, content?: Content) => Promise<Outcome>;
  } {
    const data = new Map<string, object>([
      ['once', { metadata: { resourceVersion: '1' }, data: { a: '1' } }],
      ['settings', { metadata: { resourceVersion: '2' }, data: { key: 'old' } }],
      ['fixed', { metadata: { resourceVersion: '3' }, immutable: true, data: {} }],
    ]);
    const read: string[] = [];
    const changes: (readonly string[])[] = [];
    const absent: (readonly string[] | undefined)[] = [];
    const followed: (readonly WatchedObject[])[] = [];
    let tokens = 0;
    const client = fakeClient({
      get: async (_, { name }) => {
        read.push(name);
        const object = data.get(name);
        if (object === undefined) throw notFound;
        return object;
      },
      create: async () => {
        tokens += 1;
        return { spec: { expirationSeconds: 1000 }, status: { token: `token ${tokens}` } } as object;
      },
    });
    const operations = new Operations({
      backend: {
        capabilities: { ...capabilities, volumeUpdates: true },
        support: unknownSupport,
        create: async () => {},
        update: async (_, change) => {
          changes.push([...change.volumes.keys()]);
          absent.push(change.absent?.configMaps);
          return [];
        },
        stop: async () => {},
        remove: async () => {},
      },
      client,
      gonePods: { look: async () => 'there' },
      references: { client, services: () => [], clock: { ...systemClock, now: () => nowMs }, random: () => 0 },
      facts: () => ({ hostIPs: [], allocatable: {}, dns: { clusterServers: [], clusterDomain: '' } }),
      obstacle: async () => undefined,
      follow: (_, objects) => void followed.push(objects),
      record: () => {},
      onDefect: () => {},
    });
    const operate = (operation: Operation, content?: Content): Promise<Outcome> => {
      const state = newPod({ pod, ref: instanceRef(pod), refusals: [], nowMs }, { listed: true, inherited: false });
      return operations.perform(operation, { ...state, content }, signal);
    };
    return { data, read, changes, absent, followed, operate };
  }

  it('a create says what it gave, and when the token is to be renewed by the life that the API server gave it', async () => {
    const { followed, operate } = world();
    const content = contentOf(await operate(create));
    expect([...content.digests.keys()]).toEqual(['settings', 'fixed', 'maybe', 'token']);
    expect(content).toMatchObject({ readMs: nowMs, renewAtMs: nowMs + 800_000 });
    // Not what only variables name, nor what can never change; also what is not there yet.
    expect(followed).toEqual([
      [
        { kind: 'configMap', namespace: 'default', name: 'settings', seen: '2' },
        { kind: 'configMap', namespace: 'default', name: 'maybe', seen: undefined },
      ],
    ]);
  });

  it('reads what volumes are made of and nothing else, and gives the backend what differs', async () => {
    const { data, read, changes, operate } = world();
    const content = contentOf(await operate(create));
    read.length = 0;
    data.set('settings', { metadata: { resourceVersion: '9' }, data: { key: 'new' } });
    await operate({ kind: 'update' }, content);
    expect(read.toSorted()).toEqual(['fixed', 'maybe', 'settings']);
    // The token is a new one each time.
    expect(changes).toEqual([['settings', 'token']]);
  });

  it('gives everything when it is not known what the volumes hold', async () => {
    const { changes, operate } = world();
    await operate({ kind: 'update' });
    expect(changes).toEqual([['settings', 'fixed', 'maybe', 'token']]);
  });

  it('tells the backend what is optional and is not there any more', async () => {
    const { data, changes, absent, operate } = world();
    data.set('maybe', { metadata: { resourceVersion: '4' }, data: { key: 'x' } });
    const content = contentOf(await operate(create));
    await operate({ kind: 'update' }, content);
    data.delete('maybe');
    await operate({ kind: 'update' }, content);
    expect(changes).toEqual([['token'], ['maybe', 'token']]);
    expect(absent).toEqual([[], ['maybe']]);
  });

  it('changes no volume while something mandatory is missing, and waits for it', async () => {
    const { data, changes, followed, operate } = world();
    data.delete('settings');
    expect(await operate({ kind: 'update' })).toMatchObject({ ok: false, problem: { kind: 'missingReference' } });
    expect(changes.flat()).toEqual([]);
    expect(followed.at(-1)).toContainEqual({
      kind: 'configMap',
      namespace: 'default',
      name: 'settings',
      seen: undefined,
    });
  });

  it('a create that lacks something waits for exactly that', async () => {
    const { data, followed, operate } = world();
    data.delete('once');
    expect(await operate(create)).toMatchObject({ ok: false, problem: { kind: 'missingReference' } });
    expect(followed).toEqual([[{ kind: 'configMap', namespace: 'default', name: 'once', seen: undefined }]]);
  });
});

describe('an operation', () => {
  it('passes on what the backend says', async () => {
    const details = { retryAfterMs: 5000, remedy: 'Order more.', reason: 'NoRoom' };
    const setup = setUp({}, new BackendError('soldOut', 'no room', details));
    expect(await perform(setup, create)).toEqual({
      ok: false,
      problem: { kind: 'soldOut', message: 'no room', ...details },
    });
    expect(setup.defects).toEqual([]);
  });

  it('never throws: what nobody foresaw is reported as a defect and tried again', async () => {
    const setup = setUp({}, new TypeError('x is undefined'));
    expect(await perform(setup, { kind: 'remove' })).toMatchObject({ ok: false, problem: { kind: 'internal' } });
    expect(setup.defects).toHaveLength(1);
  });

  it.each([
    [true, { ok: false, problem: { kind: 'soldOut', message: expect.stringContaining('within 20 s: no GPUs') } }],
    [false, { ok: true }],
  ])('that takes back what has no place is a refusal of the create, when it did (%s)', async (isWithdrawn, outcome) => {
    const backend = { withdraw: async () => isWithdrawn, capabilities: { ...capabilities, placeWithinMs: 20_000 } };
    const setup = setUp({}, undefined, true, backend);
    const bound = { pod: testPod(), ref: instanceRef(testPod()), refusals: [], nowMs: 0 };
    const state = instanceSeen(
      newPod(bound, { listed: true, inherited: false }),
      testInstance(testPod(), { state: 'starting', unplaced: 'no GPUs' }),
    );
    expect(await setup.operations.perform({ kind: 'withdraw' }, state, signal)).toEqual(outcome);
  });

  it('stops and removes by the stored reference', async () => {
    const setup = setUp();
    await perform(setup, { kind: 'stop', graceSeconds: 7, deadlineMs: 0 });
    await perform(setup, { kind: 'remove' });
    expect(setup.calls).toEqual(['stop uid-1 7', 'remove uid-1']);
  });
});

describe('a live read', () => {
  it.each([
    ['no pod', [], { ok: true }],
    ['another pod of the same name', [testPod({ uid: 'uid-2' })], { ok: true }],
    ['the pod', [testPod()], { ok: false, problem: { kind: 'stillThere' } }],
  ])('that finds %s', async (_, items, outcome) => {
    const asked: unknown[] = [];
    const setup = setUp({
      list: async (__, options) => {
        asked.push(options);
        return { items: [...items] };
      },
    });
    expect(await perform(setup, { kind: 'confirmGone' })).toMatchObject(outcome);
    expect(asked).toEqual([
      expect.objectContaining({
        namespace: 'default',
        fieldSelector: 'spec.nodeName=virtual-kubelet,metadata.name=web-0',
      }),
    ]);
  });
});

it('that is gone from another cluster is not taken for gone', async () => {
  const setup = setUp({}, undefined, false);
  expect(await perform(setup, { kind: 'confirmGone' })).toMatchObject({
    ok: false,
    problem: { kind: 'stillThere', message: 'the API server belongs to another cluster than the pod' },
  });
});

describe('deleting the API object', () => {
  it('is final, and only of the pod with this UID', async () => {
    const asked: unknown[] = [];
    const setup = setUp({
      delete: async (type, ref, options) => {
        asked.push([type.plural, ref, options]);
        return {};
      },
    });
    expect(await perform(setup, { kind: 'deletePod' })).toEqual({ ok: true });
    expect(asked).toEqual([
      [
        pods.plural,
        { namespace: 'default', name: 'web-0' },
        expect.objectContaining({ gracePeriodSeconds: 0, preconditions: { uid: 'uid-1' } }),
      ],
    ]);
  });

  it.each([notFound, new ApiError('uid mismatch', { status: 409, reason: 'Conflict' })])(
    'has succeeded when it is not our pod any more (%s), and not when another cluster says so',
    async (error) => {
      const answers = {
        delete: async (): Promise<never> => {
          throw error;
        },
        list: async () => ({ items: [] }),
      };
      expect(await perform(setUp(answers), { kind: 'deletePod' })).toEqual({ ok: true });
      const elsewhere = setUp(answers, undefined, false);
      expect(await perform(elsewhere, { kind: 'deletePod' })).toMatchObject({ problem: { kind: 'stillThere' } });
    },
  );

  it('is tried again when the API server is away', async () => {
    const setup = setUp({ delete: () => Promise.reject(new TransportError('timeout', 'no answer')) });
    expect(await perform(setup, { kind: 'deletePod' })).toMatchObject({ ok: false, problem: { kind: 'api' } });
  });
});

describe('updating logins', () => {
  const spec = {
    containers: [{ name: 'app', image: 'x' }],
    volumes: [{ name: 'settings', configMap: { name: 'settings' } }],
    imagePullSecrets: [{ name: 'login' }, { name: 'later' }],
  };
  const pod = testPod({ spec });

  it('gives the pull Secrets when one of them has changed, and no volumes where these do not follow', async () => {
    const found = new Map<string, object>([
      ['settings', { data: { key: 'old' } }],
      ['login', { metadata: { resourceVersion: '1' }, data: { '.dockerconfigjson': 'b2xk' } }],
    ]);
    const followed: (readonly WatchedObject[])[] = [];
    const changes: unknown[] = [];
    const client = fakeClient({
      get: async (_, { name }) => {
        const object = found.get(name);
        if (object === undefined) throw notFound;
        return object;
      },
    });
    const operations = new Operations({
      backend: {
        capabilities: { ...capabilities, pullSecretUpdates: true },
        support: unknownSupport,
        create: async () => {},
        update: async (_, { volumes, objects, pullSecrets }) => {
          changes.push({ volumes: [...volumes.keys()], secrets: [...objects.secrets.keys()], pullSecrets });
          return [];
        },
        stop: async () => {},
        remove: async () => {},
      },
      client,
      gonePods: { look: async () => 'there' },
      references: { client, services: () => [] },
      facts: () => ({ hostIPs: [], allocatable: {}, dns: { clusterServers: [], clusterDomain: '' } }),
      obstacle: async () => undefined,
      follow: (_, objects) => void followed.push(objects),
      record: () => {},
      onDefect: () => {},
    });
    const operate = async (operation: Operation, content?: Content): Promise<Content> => {
      const state = newPod({ pod, ref: instanceRef(pod), refusals: [], nowMs: 0 }, { listed: true, inherited: false });
      return contentOf(await operations.perform(operation, { ...state, content }, signal));
    };
    const created = await operate(create);
    expect(followed).toEqual([
      [
        { kind: 'secret', namespace: 'default', name: 'login', seen: '1' },
        { kind: 'secret', namespace: 'default', name: 'later', seen: undefined },
      ],
    ]);
    expect(await operate({ kind: 'update' }, created)).toMatchObject({ pullSecrets: created.pullSecrets });
    expect(changes).toEqual([]);
    found.set('login', { metadata: { resourceVersion: '2' }, data: { '.dockerconfigjson': 'bmV3' } });
    await operate({ kind: 'update' }, created);
    const given = { volumes: [], secrets: ['login'], pullSecrets: ['login', 'later'] };
    expect(changes).toEqual([given]);
    // An earlier process may have brought them before they changed.
    await operate({ kind: 'update' });
    expect(changes).toEqual([given, given]);
  });
});
