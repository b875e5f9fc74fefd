import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { settle, TestClock } from '../../test/test-clock.ts';
import { ApiError, TransportError } from '../errors.ts';
import type { Lease } from '../generated/index.ts';
import { trusted } from '../json.ts';
import type { CallOptions, ResourceClient } from '../resources/resource-client.ts';
import { runNodeLease } from './node-lease.ts';

let clock: TestClock;
let stored: Lease | undefined;
let version: number;
let calls: string[];
let failures: Error[];
let lastOptions: CallOptions | undefined;
let nodeUid: () => Promise<string>;
let errors: unknown[];
let renewals: number;

beforeEach(() => {
  clock = new TestClock(Date.parse('2026-05-01T10:00:00.123Z'));
  stored = undefined;
  version = 0;
  calls = [];
  failures = [];
  errors = [];
  renewals = 0;
  nodeUid = () => Promise.resolve('node-1');
});

function save(lease: Lease): Lease {
  stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(++version) } };
  return stored;
}

function call<R>(verb: string, options: CallOptions | undefined, work: () => Lease): Promise<R> {
  calls.push(verb);
  lastOptions = options;
  const failure = failures.shift();
  if (failure !== undefined) return Promise.reject(failure);
  try {
    return Promise.resolve(trusted<R>(structuredClone(work())));
  } catch (error) {
    return Promise.reject(error);
  }
}

const refuse = (status: number, reason = ''): never => {
  throw new ApiError(reason, { status, reason });
};

const resource: Partial<ResourceClient<Lease>> = {
  get: (_, options) => call('get', options, () => stored ?? refuse(404)),
  create: (lease, options) =>
    call('create', options, () => (stored === undefined ? save(trusted(lease)) : refuse(409, 'AlreadyExists'))),
  replace: (lease, options) =>
    call('replace', options, () => {
      if (stored === undefined) return refuse(404);
      return stored.metadata?.resourceVersion === lease.metadata?.resourceVersion
        ? save(trusted(lease))
        : refuse(409, 'Conflict');
    }),
};

function start(silent = false): () => Promise<void> {
  const controller = new AbortController();
  const running = runNodeLease({
    client: { resource: <T extends object>() => trusted<ResourceClient<T>>(resource) },
    nodeName: 'virtual',
    nodeUid: () => nodeUid(),
    signal: controller.signal,
    ...(silent ? {} : { onError: (error) => errors.push(error), onRenewed: () => renewals++ }),
    clock,
    random: () => 0,
  });
  const stop = async (): Promise<void> => {
    controller.abort();
    await running;
  };
  onTestFinished(stop);
  return stop;
}

test('a node without a lease gets one that it owns, for 40 seconds, and renews it every ten', async () => {
  start();
  await settle();
  expect(stored).toMatchObject({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: 'virtual',
      namespace: 'kube-node-lease',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'virtual', uid: 'node-1' }],
    },
    spec: { holderIdentity: 'virtual', leaseDurationSeconds: 40, renewTime: '2026-05-01T10:00:00.123000Z' },
  });
  await clock.advance(20_000);
  expect(stored?.spec?.renewTime).toBe('2026-05-01T10:00:20.123000Z');
  expect(calls).toEqual(['get', 'create', 'replace', 'replace']);
  expect(renewals).toBe(3);
  expect(lastOptions).toMatchObject({ lane: 'lease', retry: false, timeoutMs: 10_000 });
});

test('a lease that is there is taken over with what others wrote into it', async () => {
  save({
    metadata: {
      name: 'virtual',
      namespace: 'kube-node-lease',
      labels: { a: 'b' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'virtual', uid: 'old' }],
    },
    spec: { holderIdentity: 'somebody', leaseTransitions: 3 },
  });
  start();
  await settle();
  expect(stored).toMatchObject({
    metadata: { labels: { a: 'b' }, ownerReferences: [{ uid: 'node-1' }] },
    spec: { holderIdentity: 'virtual', leaseTransitions: 3 },
  });
});

test('the lease follows a node that is made anew, also when the garbage collector was faster', async () => {
  start();
  await settle();
  nodeUid = () => Promise.resolve('node-2');
  await clock.advance(10_000);
  expect(stored?.metadata?.ownerReferences).toMatchObject([{ uid: 'node-2' }]);
  nodeUid = () => Promise.resolve('node-3');
  stored = undefined;
  await clock.advance(10_000);
  expect(stored).toMatchObject({ metadata: { ownerReferences: [{ uid: 'node-3' }] } });
  expect(errors).toEqual([]);
});

test('a change by somebody else is read and written over at once', async () => {
  start();
  await settle();
  save({ ...stored, spec: { ...stored?.spec, holderIdentity: 'somebody' } });
  await clock.advance(10_000);
  expect(calls.slice(2)).toEqual(['replace', 'get', 'replace']);
  expect(stored?.spec?.holderIdentity).toBe('virtual');
  expect(errors).toEqual([]);
});

test('an unreachable server is tried again for ever, at least every seven seconds', async () => {
  start();
  await settle();
  for (let i = 0; i < 100; i++) failures.push(new TransportError('unreachable', 'refused'));
  await clock.advance(10_000 + 600_000);
  expect(errors.length).toBeGreaterThanOrEqual(85);
  await clock.advance(200_000);
  expect(failures).toEqual([]);
  expect(Date.parse(stored?.spec?.renewTime ?? '')).toBeGreaterThan(clock.now() - 10_001);
});

test('without knowing the node, an existing lease is renewed and a new one is not made', async () => {
  nodeUid = () => Promise.reject(new Error('no node yet'));
  start();
  await settle();
  expect(stored).toBeUndefined();
  expect(errors).toMatchObject([{ message: 'no node yet' }]);
  nodeUid = () => Promise.resolve('node-1');
  await clock.advance(1_000);
  nodeUid = () => Promise.reject(new Error('the cache is not ready'));
  await clock.advance(10_000);
  expect(stored).toMatchObject({ metadata: { ownerReferences: [{ uid: 'node-1' }], resourceVersion: '2' } });
});

test('nobody has to listen', async () => {
  failures.push(new TransportError('unreachable', 'refused'));
  start(true);
  await clock.advance(1_000);
  expect(stored).toBeDefined();
});

test('stopping it leaves the lease and waits for nothing', async () => {
  const stop = start();
  await settle();
  await stop();
  expect(clock.sleeping).toBe(0);
  expect(stored).toBeDefined();
});
