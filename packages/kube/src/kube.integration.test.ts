// Against a real API server: one control plane for all of it.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Cluster } from '@spillway/devcluster';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { borrowCluster } from '../../devcluster/testkit/borrow.ts';
import { documentPaths, generateTypes, type OpenApiDocument } from '../scripts/openapi-types.ts';
import { Gate } from '../test/gate.ts';
import {
  type Binding,
  type ClusterConfig,
  clusterRoleBindings,
  type ConfigMap,
  configMaps,
  deployments,
  type Deployment,
  EventRecorder,
  events,
  Informer,
  type InformerHandlers,
  isConflict,
  isForbidden,
  isNotFound,
  KubeClient,
  type Leadership,
  leases,
  loadKubeconfig,
  nameOf,
  namespaces,
  nodes,
  type Pod,
  pods,
  type ReflectorOptions,
  type RequestRecord,
  resourceVersionOf,
  runLeaderElection,
  runNodeLease,
  type Scale,
  serviceAccounts,
  type TokenRequest,
  tokenReviews,
  uidOf,
  type VersionInfo,
} from './index.ts';

/** For thousands of requests at once: the last of them waits long for its turn. */
const patient = { timeoutMs: 280_000 };
const unlimited = { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 32 };
let cluster: Cluster;
let config: ClusterConfig;
let client: KubeClient;

beforeAll(async () => {
  cluster = await borrowCluster();
  config = await loadKubeconfig({ paths: [cluster.kubeconfig] });
  client = new KubeClient({ config, lanes: { default: unlimited } });
});

afterAll(async () => {
  await client?.close();
  await cluster?.close();
});

async function newNamespace(): Promise<string> {
  const made = await client.resource(namespaces).create({ metadata: { generateName: 'kube-' } });
  return nameOf(made);
}

const configMap = (namespace: string, name: string, data: { [key: string]: string } = {}): ConfigMap => ({
  metadata: { namespace, name, labels: { of: 'the-test' } },
  data,
});
/** Every namespace has one ConfigMap that is not ours. */
const ours = 'of=the-test';

const podObject = (namespace: string, name: string): Pod => ({
  metadata: { namespace, name },
  spec: { automountServiceAccountToken: false, nodeName: 'virtual', containers: [{ name: 'c', image: 'none' }] },
});

/** Runs until the test ends. */
function follow(
  options: Partial<ReflectorOptions<ConfigMap>> & { namespace: string },
  handlers: InformerHandlers<ConfigMap> = {},
): Informer<ConfigMap> {
  const informer = new Informer<ConfigMap>({ client, type: configMaps, labelSelector: ours, ...options });
  informer.subscribe(handlers);
  const controller = new AbortController();
  const running = informer.run(controller.signal);
  onTestFinished(async () => {
    controller.abort();
    await running;
  });
  return informer;
}

const fingerprint = (objects: readonly ConfigMap[]): string[] =>
  objects.map((object) => `${nameOf(object)} ${uidOf(object)} ${resourceVersionOf(object)}`).toSorted();

async function expectTruth(informer: Informer<ConfigMap>, namespace: string): Promise<void> {
  await expect
    .poll(() => fingerprint(informer.store.list()), { timeout: 120_000, interval: 250 })
    .toEqual(fingerprint((await client.resource(configMaps).list({ namespace, labelSelector: ours })).items));
}

test('the checked-in types are those of the server', async () => {
  const documents = await Promise.all(
    documentPaths.map((path) => client.request<OpenApiDocument>({ method: 'GET', path: `/openapi/v3/${path}` })),
  );
  const fresh = generateTypes(documents);
  const directory = join(import.meta.dirname, 'generated');
  expect((await readdir(directory)).toSorted()).toEqual([...fresh.keys()].toSorted());
  for (const [name, text] of fresh) expect(await readFile(join(directory, name), 'utf8'), name).toBe(text);
});

test('the example of the README does what the README says', async () => {
  const root = join(import.meta.dirname, '..');
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const [, code = '', output = ''] = /```ts\n(.*?)```.*?It prints\n\n```\n(.*?)```/s.exec(readme) ?? [];
  // Below the package, so that it finds the package by its name.
  const directory = await mkdtemp(join(root, 'example-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'example.ts');
  await writeFile(file, code);
  // A new namespace has it only after a moment.
  const authority = { namespace: 'default', name: 'kube-root-ca.crt' };
  await expect
    .poll(() => client.resource(configMaps).get(authority).then(nameOf, String), { timeout: 60_000 })
    .toBe(authority.name);
  const args = ['--conditions=spillway-source', file, cluster.kubeconfig];
  expect((await promisify(execFile)(process.execPath, args)).stdout).toBe(output);
});

describe('requests', () => {
  test('get text, typed answers and the server’s own words about a refusal', async () => {
    expect(await client.request({ method: 'GET', path: '/readyz', accept: 'text/plain' })).toBe('ok');
    expect((await client.request<VersionInfo>({ method: 'GET', path: '/version' })).major).toBe('1');
    const missing = client.resource(pods).get({ namespace: 'default', name: 'none' });
    await expect(missing).rejects.toMatchObject({
      kind: 'notFound',
      reason: 'NotFound',
      details: { name: 'none', kind: 'pods' },
      message: 'GET /api/v1/namespaces/default/pods/none: pods "none" not found',
    });
  });

  test('act as somebody else, who may less', async () => {
    const nobody = client.impersonate({ user: 'jane', groups: ['developers'] });
    onTestFinished(() => nobody.close());
    const error = await nobody
      .resource(pods)
      .list()
      .catch((caught: unknown) => caught);
    expect(isForbidden(error)).toBe(true);
    expect(String(error)).toContain('User "jane" cannot list resource "pods"');
  });

  test('a kubeconfig with a client certificate, and one with a token, work', async () => {
    for (const identity of [
      { user: 'somebody', groups: ['system:masters'] },
      { serviceAccount: { namespace: 'default', name: 'default' } },
    ]) {
      const other = new KubeClient({
        config: await loadKubeconfig({ paths: [await cluster.kubeconfigFor(identity)] }),
      });
      onTestFinished(() => other.close());
      const version = await other.request<VersionInfo>({ method: 'GET', path: '/version' });
      expect(version.gitVersion).toMatch(/^v1\./);
    }
  });

  test('the certificate of another cluster is refused with a clear line', async () => {
    const wrong = new KubeClient({ config: { ...config, ca: await readFile(cluster.etcd.caFile, 'utf8') } });
    onTestFinished(() => wrong.close());
    await expect(wrong.request({ method: 'GET', path: '/version' })).rejects.toMatchObject({
      kind: 'tls',
      message: expect.stringMatching(/is not signed by the authority that .* trusts/),
    });
  });

  test('flow control is obeyed: refused writes wait, then happen once each', async () => {
    const namespace = await newNamespace();
    const user = { kind: 'User', name: 'throttled', apiGroup: 'rbac.authorization.k8s.io' };
    await client.resource(clusterRoleBindings).create({
      metadata: { name: 'throttled' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [user],
    });
    await oneRequestAtATime('throttled');
    const records: RequestRecord[] = [];
    const throttled = new KubeClient({
      config: { ...config, impersonate: { user: 'throttled' } },
      lanes: { default: unlimited },
      onRequest: (record) => records.push(record),
    });
    onTestFinished(() => throttled.close());
    const resource = throttled.resource(configMaps);
    // The server takes a moment to follow its own configuration.
    await expect
      .poll(
        async () => {
          records.length = 0;
          const crowd = Array.from({ length: 30 }, () => resource.list({ namespace, retry: false }));
          await Promise.allSettled(crowd);
          return records.filter(({ status }) => status === 429).length;
        },
        { timeout: 120_000 },
      )
      .toBeGreaterThan(0);
    records.length = 0;
    // A crowd that comes while the server is quick may meet nobody: then comes another.
    const refusedAtFirst = (): number =>
      records.filter(({ status, attempt }) => status === 429 && attempt === 1).length;
    let created = 0;
    do {
      const names = Array.from({ length: 30 }, () => `cm-${created++}`);
      await Promise.all(names.map((name) => resource.create(configMap(namespace, name), { timeoutMs: 120_000 })));
    } while (refusedAtFirst() === 0);
    expect(records.filter(({ status }) => status === 201)).toHaveLength(created);
    expect(records.every(({ status }) => status === 201 || status === 429)).toBe(true);
  });
});

/** Makes the server answer 429 to a user who asks while it is busy with another request of that user. */
async function oneRequestAtATime(user: string): Promise<void> {
  const path = '/apis/flowcontrol.apiserver.k8s.io/v1';
  const limited = { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } };
  const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true };
  await client.request({
    method: 'POST',
    path: `${path}/prioritylevelconfigurations`,
    body: { metadata: { name: user }, spec: { type: 'Limited', limited } },
  });
  await client.request({
    method: 'POST',
    path: `${path}/flowschemas`,
    body: {
      metadata: { name: user },
      spec: {
        priorityLevelConfiguration: { name: user },
        matchingPrecedence: 2,
        rules: [{ subjects: [{ kind: 'User', user: { name: user } }], resourceRules: [everything] }],
      },
    },
  });
}

const imagesOf = (deployment: Deployment): unknown[] =>
  deployment.spec?.template.spec?.containers.map(({ name, image }) => [name, image]) ?? [];
const podSpec = (containers: object[]): object => ({ spec: { template: { spec: { containers } } } });
const runningPod = (uid: string): object => ({ metadata: { uid }, status: { phase: 'Running' } });

describe('writing', () => {
  test('every kind of patch does what its name says', async () => {
    const namespace = await newNamespace();
    const resource = client.resource(deployments);
    const ref = { namespace, name: 'web' };
    const selector = { matchLabels: { app: 'web' } };
    const deployment: Deployment = {
      metadata: ref,
      spec: {
        replicas: 0,
        selector,
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'a', image: 'a' }] } },
      },
    };
    await resource.create(deployment);
    const strategic = await resource.patch(ref, { type: 'strategic', body: podSpec([{ name: 'b', image: 'b' }]) });
    expect(imagesOf(strategic)).toEqual([
      ['b', 'b'],
      ['a', 'a'],
    ]);
    const merged = await resource.patch(ref, { type: 'merge', body: podSpec([{ name: 'c', image: 'c' }]) });
    expect(imagesOf(merged)).toEqual([['c', 'c']]);
    const path = '/spec/template/spec/containers/0/image';
    const patched = await resource.patch(ref, { type: 'json', body: [{ op: 'replace', path, value: 'd' }] });
    expect(imagesOf(patched)).toEqual([['c', 'd']]);
    const dry = await resource.patch(
      ref,
      { type: 'merge', body: { metadata: { labels: { dry: 'run' } } } },
      { dryRun: true },
    );
    expect(dry.metadata?.labels).toEqual({ dry: 'run' });
    const live = await resource.get(ref);
    expect(live.metadata?.labels).toBeUndefined();
    const scale = await resource.get<Scale>(ref, { subresource: 'scale' });
    expect(scale.kind).toBe('Scale');
    // Without a version: the deployment controller may have written since.
    await resource.replace<Scale>({ ...scale, metadata: ref, spec: { replicas: 3 } }, { subresource: 'scale' });
    expect((await resource.get(ref)).spec?.replicas).toBe(3);
    // An object that somebody else has changed since it was read
    const stale = resource.replace({
      ...live,
      spec: { ...deployment.spec, selector, replicas: 5, template: live.spec?.template ?? {} },
    });
    expect(isConflict(await stale.catch((error: unknown) => error))).toBe(true);
  });

  test('apply shares an object by fields, and says who owns what it may not take', async () => {
    const namespace = await newNamespace();
    const resource = client.resource(configMaps);
    await resource.apply(configMap(namespace, 'shared', { a: '1' }), { fieldManager: 'first' });
    const both = await resource.apply(configMap(namespace, 'shared', { b: '2' }), { fieldManager: 'second' });
    expect(both.data).toEqual({ a: '1', b: '2' });
    const taking = await resource
      .apply(configMap(namespace, 'shared', { a: 'x' }), { fieldManager: 'second' })
      .catch((error: unknown) => error);
    expect(isConflict(taking)).toBe(true);
    expect(taking).toMatchObject({ details: { causes: [{ reason: 'FieldManagerConflict', field: '.data.a' }] } });
    const taken = await resource.apply(configMap(namespace, 'shared', { a: 'x' }), {
      fieldManager: 'second',
      force: true,
    });
    expect(taken.data).toEqual({ a: 'x' });
  });

  test('a pod that was replaced by one of the same name is neither written nor deleted by mistake', async () => {
    const namespace = await newNamespace();
    const resource = client.resource(pods);
    const ref = { namespace, name: 'web' };
    const old = await resource.create(podObject(namespace, 'web'));
    await resource.delete(ref, { gracePeriodSeconds: 0, preconditions: { uid: uidOf(old) } });
    const next = await resource.create(podObject(namespace, 'web'));
    const wrongPatch = resource.patch(
      ref,
      { type: 'strategic', body: runningPod(uidOf(old)) },
      { subresource: 'status' },
    );
    await expect(wrongPatch).rejects.toMatchObject({ status: 422, kind: 'invalid' });
    const wrongDelete = resource.delete(ref, { gracePeriodSeconds: 0, preconditions: { uid: uidOf(old) } });
    await expect(wrongDelete).rejects.toMatchObject({ status: 409, kind: 'conflict' });
    const right = await resource.patch(
      ref,
      { type: 'strategic', body: runningPod(uidOf(next)) },
      { subresource: 'status' },
    );
    expect(right.status?.phase).toBe('Running');
    await resource.delete(ref, { gracePeriodSeconds: 0, preconditions: { uid: uidOf(next) } });
    expect(isNotFound(await resource.get(ref).catch((error: unknown) => error))).toBe(true);
  });

  test('a pod is bound and a token is made through their subresources', async () => {
    const namespace = await newNamespace();
    const { spec, ...rest } = podObject(namespace, 'web');
    const containers = spec?.containers ?? [];
    const pod = await client
      .resource(pods)
      .create({ ...rest, spec: { automountServiceAccountToken: false, containers } });
    const target = { apiVersion: 'v1', kind: 'Node', name: 'virtual' };
    const binding: Binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'web', namespace }, target };
    await client.resource(pods).create<Binding>(binding, { subresource: 'binding' });
    expect((await client.resource(pods).get({ namespace, name: 'web' })).spec?.nodeName).toBe('virtual');
    const request: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: [],
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: uidOf(pod) },
      },
    };
    const answer = await client
      .resource(serviceAccounts)
      .create<TokenRequest>(request, { subresource: 'token', namespace, name: 'default' });
    const review = await client.resource(tokenReviews).create({ spec: { token: answer.status?.token ?? '' } });
    expect(review.status).toMatchObject({
      authenticated: true,
      user: { username: `system:serviceaccount:${namespace}:default` },
    });
  });
});

describe('an informer is right in the end', () => {
  test.each([true, false])(
    'when the server is killed and restarted under its watch (streamed list: %s)',
    async (watchList) => {
      const namespace = await newNamespace();
      const resource = client.resource(configMaps);
      for (const name of ['a', 'b', 'c']) await resource.create(configMap(namespace, name));
      const alive = new Map<string, string>();
      const wrong: string[] = [];
      const informer = follow(
        { namespace, watchList },
        {
          added(object) {
            if (alive.has(nameOf(object))) wrong.push(`${nameOf(object)} was added twice`);
            alive.set(nameOf(object), uidOf(object));
          },
          changed(old, object) {
            if (uidOf(old) !== uidOf(object)) wrong.push(`${nameOf(object)} changed its UID`);
          },
          deleted(object) {
            if (alive.get(nameOf(object)) !== uidOf(object))
              wrong.push(`${nameOf(object)} was deleted before it was added`);
            alive.delete(nameOf(object));
          },
        },
      );
      await informer.synced;
      const server = cluster.component('kube-apiserver');
      await server.stop('SIGKILL');
      await server.start();
      const firstUid = alive.get('b');
      await resource.delete({ namespace, name: 'b' });
      await resource.create(configMap(namespace, 'b'));
      await resource.delete({ namespace, name: 'c' });
      await resource.create(configMap(namespace, 'd'));
      await expectTruth(informer, namespace);
      expect(wrong).toEqual([]);
      expect(alive.get('b')).not.toBe(firstUid);
      expect([...alive.keys()].toSorted()).toEqual(['a', 'b', 'd']);
    },
  );

  test.each([true, false])('when what it missed was compacted away (streamed list: %s)', async (watchList) => {
    const namespace = await newNamespace();
    const resource = client.resource(configMaps);
    await using gate = await Gate.to(config.server);
    const far = new KubeClient({
      config: { ...config, server: `https://127.0.0.1:${gate.port}`, tlsServerName: 'kubernetes' },
    });
    onTestFinished(() => far.close());
    for (const name of ['stays', 'goes', 'reborn']) await resource.create(configMap(namespace, name));
    const told: string[] = [];
    const failures: unknown[] = [];
    const informer = follow(
      { client: far, namespace, watchList, onError: (error) => failures.push(error) },
      {
        added: (object) => told.push(`added ${nameOf(object)}`),
        changed: (_, object) => told.push(`changed ${nameOf(object)}`),
        deleted: (object) => told.push(`deleted ${nameOf(object)}`),
      },
    );
    await informer.synced;
    gate.close();
    await expect.poll(() => failures.length, { timeout: 30_000 }).toBeGreaterThan(0);
    told.length = 0;
    await resource.delete({ namespace, name: 'goes' });
    await resource.delete({ namespace, name: 'reborn' });
    await resource.create(configMap(namespace, 'reborn'));
    await cluster.etcd.compact();
    // The history is also in the memory of the server.
    await cluster.component('kube-apiserver').restart();
    gate.open();
    await expectTruth(informer, namespace);
    expect(told.toSorted()).toEqual(['added reborn', 'deleted goes', 'deleted reborn']);
  });

  test('with 10,000 objects, streamed or in pages, and follows each change', async () => {
    const namespace = await newNamespace();
    const resource = client.resource(configMaps);
    const names = Array.from({ length: 10_000 }, (_, index) => `cm-${String(index).padStart(5, '0')}`);
    await Promise.all(names.map((name) => resource.create(configMap(namespace, name, { name }), patient)));
    let pages = 0;
    let listed = 0;
    for await (const page of resource.pages({ namespace, labelSelector: ours })) {
      pages++;
      listed += page.items.length;
      expect(page.items.length).toBeLessThanOrEqual(500);
    }
    expect(listed).toBe(10_000);
    expect(pages).toBeGreaterThanOrEqual(20);
    const byLength = { bucket: (object: ConfigMap) => nameOf(object).slice(0, 6) };
    const streamed = follow({ namespace, indexes: byLength });
    const paged = follow({ namespace, watchList: false });
    await Promise.all([streamed.synced, paged.synced]);
    expect(streamed.store.size).toBe(10_000);
    expect(fingerprint(streamed.store.list())).toEqual(fingerprint(paged.store.list()));
    expect(streamed.store.byIndex('bucket', 'cm-012')).toHaveLength(100);
    await Promise.all(
      names
        .slice(0, 1_000)
        .map((name) => resource.patch({ namespace, name }, { type: 'merge', body: { data: { name: 'x' } } })),
    );
    await resource.deleteCollection({ namespace, fieldSelector: 'metadata.name=cm-00000' });
    await Promise.all([expectTruth(streamed, namespace), expectTruth(paged, namespace)]);
  });
});

test('a node’s own identity keeps its lease, also when the node is made anew', async () => {
  const nodeName = 'leased';
  const agent = client.impersonate({ user: `system:node:${nodeName}`, groups: ['system:nodes'] });
  onTestFinished(() => agent.close());
  const makeNode = (): Promise<object> => agent.resource(nodes).create({ metadata: { name: nodeName } });
  await makeNode();
  const controller = new AbortController();
  const errors: unknown[] = [];
  const running = runNodeLease({
    client: agent,
    nodeName,
    nodeUid: async () => uidOf(await agent.resource(nodes).get({ name: nodeName })),
    renewIntervalMs: 200,
    signal: controller.signal,
    onError: (error) => errors.push(error),
  });
  onTestFinished(async () => {
    controller.abort();
    await running;
  });
  const leaseOf = () => client.resource(leases).get({ namespace: 'kube-node-lease', name: nodeName });
  const owner = async (): Promise<string> =>
    await leaseOf().then(
      (lease) => lease.metadata?.ownerReferences?.[0]?.uid ?? '',
      () => '',
    );
  const uid = async (): Promise<string> => uidOf(await client.resource(nodes).get({ name: nodeName }));
  const first = await uid();
  await expect.poll(owner, { timeout: 30_000 }).toBe(first);
  await client.resource(nodes).delete({ name: nodeName });
  await makeNode();
  const second = await uid();
  expect(second).not.toBe(first);
  await expect.poll(owner, { timeout: 30_000 }).toBe(second);
  const before = (await leaseOf()).spec?.renewTime ?? '';
  await expect.poll(async () => (await leaseOf()).spec?.renewTime, { timeout: 30_000 }).not.toBe(before);
});

test('of two electors one leads; cut off it stops before the other takes over, and a graceful stop hands over', async () => {
  const namespace = await newNamespace();
  await using gate = await Gate.to(config.server);
  const name = 'election';
  const running = new Set<string>();
  const journal: string[] = [];
  const stops = new Map<string, () => Promise<void>>();
  const candidate = (identity: string, own: KubeClient): void => {
    const stop = new AbortController();
    const election = runLeaderElection({
      client: own,
      namespace,
      name,
      identity,
      signal: stop.signal,
      lead: async ({ lost, signal }: Leadership) => {
        running.add(identity);
        journal.push(`${identity} leads`);
        if (running.size > 1) journal.push('two lead');
        const { promise, resolve } = Promise.withResolvers<void>();
        signal.addEventListener('abort', () => resolve());
        await promise;
        running.delete(identity);
        journal.push(`${identity} ${lost.aborted ? 'lost' : 'stopped'}`);
      },
    });
    stops.set(identity, async () => {
      stop.abort();
      await election;
    });
  };
  const holder = async (): Promise<string | undefined> =>
    (await client.resource(leases).get({ namespace, name })).spec?.holderIdentity;
  const cutOff = new KubeClient({
    config: { ...config, server: `https://127.0.0.1:${gate.port}`, tlsServerName: 'kubernetes' },
  });
  onTestFinished(async () => {
    await Promise.all(Array.from(stops.values(), (stop) => stop()));
    await cutOff.close();
  });
  candidate('a', cutOff);
  await expect.poll(() => journal).toEqual(['a leads']);
  candidate('b', client);
  gate.close();
  await expect.poll(() => journal, { timeout: 60_000 }).toEqual(['a leads', 'a lost', 'b leads']);
  expect(await holder()).toBe('b');
  gate.open();
  await stops.get('b')?.();
  await expect
    .poll(() => journal, { timeout: 60_000 })
    .toEqual(['a leads', 'a lost', 'b leads', 'b stopped', 'a leads']);
  const lease = await client.resource(leases).get({ namespace, name });
  expect(lease.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 10, leaseTransitions: 2 });
});

test('events are what kubectl shows, with a count for repeats', async () => {
  const namespace = await newNamespace();
  const pod = await client.resource(pods).create(podObject(namespace, 'web'));
  const recorder = new EventRecorder({ client, component: 'spillway', host: 'virtual' });
  const content = {
    type: 'Normal',
    reason: 'Pulled',
    message: 'image pulled',
    fieldPath: 'spec.containers{c}',
  } as const;
  recorder.record(pod, content);
  await expect.poll(async () => (await client.resource(events).list({ namespace })).items.length).toBe(1);
  recorder.record(pod, content);
  await recorder.close();
  const { items } = await client.resource(events).list({ namespace });
  expect(items).toMatchObject([
    {
      count: 2,
      reason: 'Pulled',
      involvedObject: { kind: 'Pod', name: 'web', uid: uidOf(pod), apiVersion: 'v1', fieldPath: 'spec.containers{c}' },
      source: { component: 'spillway', host: 'virtual' },
      reportingComponent: 'spillway',
    },
  ]);
  const described = await cluster.kubectl(['describe', 'pod', 'web', '-n', namespace]);
  expect(described.stdout).toMatch(
    /Normal +Pulled +\S+ \(x2 over \S+\) +spillway +spec\.containers\{c\}: image pulled/,
  );
});
