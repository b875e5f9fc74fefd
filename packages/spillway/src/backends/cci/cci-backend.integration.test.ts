import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Region, type ShareReading, startRegion } from '@spillway/cci-standin';
import { busyboxImage } from '@spillway/devcluster';
import {
  type ConfigMap,
  configMaps,
  type Container,
  KubeClient,
  loadKubeconfig,
  nameOf,
  type Pod,
  pods,
  type Secret,
  secrets,
  silentLogger,
} from '@spillway/kube';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cciPool } from '../../../testkit/cci-pool.ts';
import { volumeOn } from '../../../testkit/everest.ts';
import type { CciBackendConfig } from '../../config/cci.ts';
import { asSized } from '../../podspec/sizing/sized-pod.ts';
import { sizePod } from '../../podspec/sizing/size-pod.ts';
import type { Backend, Workload } from '../backend.ts';
import { describeBackendConformance } from '../testing/conformance.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { Driver } from '../testing/driver.ts';
import { forever, makeWorkload, script, type WorkloadInput } from '../testing/workloads.ts';
import { makeCciBackend } from './make-cci.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };

/** As the pod core does it, which knows the sizes of CCI. */
function sized(workload: Workload): Workload {
  const [first, ...others] = workload.pod.spec?.containers ?? [];
  if (first === undefined) throw new Error('a pod without containers');
  const resources = { requests: { cpu: '250m', ...first.resources?.requests }, limits: { ...first.resources?.limits } };
  const spec = { ...workload.pod.spec, containers: [{ ...first, resources }, ...others] };
  const size = sizePod(spec, 'cci');
  if (size.kind !== 'sized') throw new Error('CCI does not have this size');
  return { ...workload, pod: asSized({ ...workload.pod, spec }, size) };
}

const encoded = (text: string): string => Buffer.from(text).toString('base64');
const secret = (value: string, resourceVersion = '1'): Secret => ({
  metadata: { resourceVersion },
  data: { key: encoded(value) },
});
/** A pod of a namespace that reads Secrets of it; `unused` is there, too. */
const reader = (from: string, name: string, wanted: Readonly<Record<string, Secret>>): Workload => {
  const volumes = Object.keys(wanted).map((each) => ({ name: each, secret: { secretName: each } }));
  const volumeMounts = volumes.map((each) => ({ name: each.name, mountPath: `/${each.name}` }));
  const spec: WorkloadInput['spec'] = { containers: [{ ...forever, volumeMounts }], volumes };
  const made = makeWorkload({ name, image: busyboxImage, spec, secrets: { ...wanted, unused: secret('never') } });
  const pod = { ...made.pod, metadata: { ...made.pod.metadata, namespace: from } };
  return sized({ ...made, ref: { ...made.ref, namespace: from }, pod });
};

let region: Region;
let there: KubeClient;
let dir: string;
let options: CciBackendConfig;

beforeAll(async () => {
  region = await startRegion({ node: 'containers', networkStepMs: 100 });
  there = new KubeClient({ config: await loadKubeconfig({ paths: [region.cluster.kubeconfig] }) });
  dir = await mkdtemp(path.join(tmpdir(), 'cci-backend-'));
  options = await cciPool(region, dir, { volumeRefresh: true });
});

afterAll(async () => {
  await there?.close();
  await region?.close();
  await rm(dir, { recursive: true, force: true });
});

const open = (more: Partial<CciBackendConfig> = {}): Backend =>
  makeCciBackend({ options: { ...options, ...more }, owner, environment: process.env, logger: silentLogger });

const namespace = 'cce-burst-home';
const podsThere = async (): Promise<Pod[]> => (await there.resource(pods).list({ namespace })).items;
const copies = { namespace, labelSelector: 'spillway.dev/copy' };
const secretsThere = async (): Promise<Secret[]> => (await there.resource(secrets).list(copies)).items;
const configMapsThere = async (): Promise<ConfigMap[]> => (await there.resource(configMaps).list(copies)).items;
const residue = async (): Promise<string[]> =>
  (await Promise.all([podsThere(), secretsThere(), configMapsThere()])).flat().map(nameOf);

describeBackendConformance('cci', async () => ({
  image: busyboxImage,
  sized,
  elsewhere: { stoppedIsGone: true },
  open: async () => open(),
  // The image is not in SWR.
  addedEvents: ['ThirdPartyRegistry'],
  residue,
}));

describe('copies in CCI', () => {
  let backend: Backend;
  let driver: Driver;

  beforeEach(async () => {
    backend = open();
    await backend.prepare(new AbortController().signal);
    driver = new Driver(backend);
  });

  afterEach(async () => {
    await driver.finish();
    await eventually('nothing is left', async () => (await residue()).length === 0);
    await backend.close();
  });

  const read = async (pod: Workload, name: string): Promise<string> =>
    String((await driver.exec(pod, ['cat', `/${name}/key`])).stdout);

  test('whose names run together stay apart, also from the Secret with the logins', async () => {
    const readers = [
      await driver.run(reader('a-b', 'one', { c: secret('of a-b') })),
      await driver.run(reader('a', 'two', { 'b-c': secret('of a') })),
      await driver.run(reader('imagepull', 'three', { secret: secret('no login') })),
    ] as const;
    for (const pod of readers) await driver.reaches(pod, 'running');
    expect(await Promise.all([read(readers[0], 'c'), read(readers[1], 'b-c'), read(readers[2], 'secret')])).toEqual([
      'of a-b',
      'of a',
      'no login',
    ]);
    expect((await secretsThere()).map(nameOf)).not.toContain('imagepull-secret');
  });

  test('are shared, follow their source, and go with the last pod; what no pod uses never leaves', async () => {
    const first = await driver.run(reader('shop', 'first', { login: secret('old') }));
    const second = await driver.run(reader('shop', 'second', { login: secret('old') }));
    await driver.reaches(first, 'running');
    await driver.reaches(second, 'running');
    expect((await secretsThere()).map(({ data }) => data?.['key'])).toEqual([encoded('old')]);
    const objects = { configMaps: new Map(), secrets: new Map([['login', secret('new', '2')]]) };
    const file = { path: 'key', mode: 0o644, content: Buffer.from('new') };
    for (const { ref } of [first, second]) {
      await backend.update?.(ref, { volumes: new Map([['login', [file]]]), objects }, driver.signal);
    }
    for (const pod of [first, second]) {
      await eventually('the new Secret', async () => (await read(pod, 'login')) === 'new');
    }
    await backend.remove(first.ref, driver.signal);
    await backend.list(driver.signal);
    expect(await read(second, 'login')).toBe('new');
    await backend.remove(second.ref, driver.signal);
    await eventually('the copy is removed', async () => (await secretsThere()).length === 0);
    expect(JSON.stringify(await there.resource(secrets).list())).not.toContain(encoded('never'));
  });

  test('never take the place of what somebody else has made', async () => {
    const pod = await driver.run(reader('shop', 'first', { login: secret('ours') }));
    const [copy] = await secretsThere();
    await backend.remove(pod.ref, driver.signal);
    await eventually('the copy is removed', async () => (await secretsThere()).length === 0);
    const theirs = { metadata: { namespace, name: nameOf(copy ?? {}) }, stringData: { key: 'theirs' } };
    await there.resource(secrets).create(theirs);
    const second = driver.run(reader('shop', 'second', { login: secret('ours') }));
    await expect(second).rejects.toMatchObject({ kind: 'conflict' });
    expect((await there.resource(secrets).get(theirs.metadata)).data?.['key']).toBe(encoded('theirs'));
    await there.resource(secrets).delete(theirs.metadata);
  });
});

test('a pod is told nothing of where it runs in CCI, and of what of its names it does not find there', async () => {
  const backend = open();
  await backend.prepare(new AbortController().signal);
  const driver = new Driver(backend);
  const container = script('hostname; hostname -f; grep -c cce-burst /etc/hosts');
  const spec = { restartPolicy: 'Never', hostname: 'ring-1', subdomain: 'ring', containers: [container] };
  const pod = sized(makeWorkload({ name: 'ring-1', image: busyboxImage, spec }));
  const dotted = sized(makeWorkload({ name: 'v1.2', image: busyboxImage, spec: { containers: [forever] } }));
  for (const each of [pod, dotted]) await driver.run(each);
  await driver.reaches(pod, 'ended');
  expect(await driver.logs(pod)).toBe('ring-1\nring-1\n0\n');
  await driver.reaches(dotted, 'running');
  expect(String((await driver.exec(dotted, ['hostname'])).stdout)).toBe('v1-2\n');
  const told = (of: Workload): string[] => driver.noticesOf(of).map(({ reason }) => reason);
  expect(told(pod)).toContain('HostNameNotQualified');
  expect(told(dotted)).toContain('HostNameDiffers');
  await driver.finish();
  await eventually('nothing is left', async () => (await residue()).length === 0);
  await backend.close();
});

test('where CCI does not bring changes into running pods, nobody asks it to', async () => {
  const backend = open({ volumeRefresh: false });
  expect(backend.capabilities.volumeUpdates).toBe(false);
  await backend.close();
});

test.each(['v1', 'v2'] as const)(
  'a folder of an SFS Turbo is bound before the first pod that mounts it, unbound after the last, and never deleted (%s)',
  async (apiVersion) => {
    const share = await region.storage.create('sfs-turbo', region.accounts[0]?.project.id ?? '');
    const known = (): ShareReading | undefined => region.storage.read().find(({ id }) => id === share.id);
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
    const mounting = (name: string, each: Partial<Container>): Workload => {
      const container = { ...each, volumeMounts: [{ name: 'data', mountPath: '/data' }] };
      const claims = {
        data: { metadata: { name: 'pv' }, spec: volumeOn('sfsturbo.csi.everest.io', share, 'apps/web') },
      };
      return sized(makeWorkload({ name, image: busyboxImage, spec: { containers: [container], volumes }, claims }));
    };
    const backend = open({ apiVersion });
    await backend.prepare(new AbortController().signal);
    const driver = new Driver(backend);
    const note = path.join(share.folder, 'apps/web/note');
    const first = await driver.run(
      mounting('first', script('trap "exit 0" TERM; echo hello > /data/note; sleep 3600 & wait')),
    );
    const second = await driver.run(mounting('second', forever));
    for (const pod of [first, second]) await driver.reaches(pod, 'running');
    await eventually('the note is there', async () => (await readFile(note, 'utf8')) === 'hello\n');
    expect(String((await driver.exec(second, ['cat', '/data/note'])).stdout)).toBe('hello\n');
    expect(known()?.bound).toHaveLength(1);

    await driver.finish();
    await eventually('nothing is bound', () => known()?.bound.length === 0);
    expect(known()).toMatchObject({ exists: true });
    expect(known()?.history.map(({ what }) => what)).toEqual(['created', 'imported', 'released']);
    expect(await readFile(note, 'utf8')).toBe('hello\n');
    await backend.close();
  },
);
