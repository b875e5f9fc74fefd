// Claims of pods that run in CCI, on a local region whose containers mount its file systems.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Region, type ShareReading, startRegion } from '@spillway/cci-standin';
import {
  type Container,
  type Event,
  events,
  type PersistentVolume,
  persistentVolumeClaims,
  persistentVolumes,
  type Pod,
  pods,
  type PodSpec,
  type StatefulSet,
  statefulSets,
  type StorageClass,
  storageClasses,
} from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bindByHand, claimFor, Everest, type ShareAt, volumeOn } from '../../testkit/everest.ts';
import { Rehearsal, rehearsalNamespace as namespace } from '../../testkit/rehearsal.ts';
import { runSpillway } from '../cli/testing/run-spillway.ts';
import type { Plan } from '../diagnosis/plan/plan.ts';
import type { Why } from '../diagnosis/why.ts';
import { isReady } from '../podspec/pod-facts.ts';

const enforce = { 'virtual-kubelet.io/burst-to-cci': 'enforce' };
const size = { cpu: '250m', memory: '256Mi' };

let region: Region;
let rehearsal: Rehearsal;
let everest: Everest;

beforeAll(async () => {
  rehearsal = await Rehearsal.start(async ({ hostAddress }) => {
    region = await startRegion({ host: hostAddress, networkStepMs: 50, node: 'containers' });
    return { backend: 'cci', cci: { at: region } };
  });
  everest = await Everest.start(rehearsal.admin, region);
  const waiting: StorageClass = {
    metadata: { name: 'waiting' },
    provisioner: 'everest-csi-provisioner',
    parameters: { 'csi.storage.k8s.io/csi-driver-name': 'nas.csi.everest.io' },
    volumeBindingMode: 'WaitForFirstConsumer',
  };
  await rehearsal.admin.resource(storageClasses).create(waiting);
});
afterAll(async () => {
  await rehearsal?.testbed.stop('SIGKILL');
  await everest?.[Symbol.asyncDispose]();
  await rehearsal?.[Symbol.asyncDispose]();
  await region?.close();
});

function container(script: string, more: Partial<Container> = {}): Container {
  const command = ['sh', '-c', script];
  return { name: 'main', image: 'busybox', command, resources: { requests: size, limits: size }, ...more };
}
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';

/** What the region has of a file system. */
function shareOf(id: string): ShareReading {
  const share = region.storage.read().find((each) => each.id === id);
  if (share === undefined) throw new Error(`there is no file system ${id}`);
  return share;
}

const happenedTo = (id: string): string[] => shareOf(id).history.map(({ what }) => what);

async function newShare(kind: 'sfs' | 'sfs-turbo'): Promise<ShareAt & { readonly folder: string }> {
  return region.storage.create(kind, region.accounts[0]?.project.id ?? '');
}

const bind = (name: string, spec: PersistentVolume['spec']): Promise<void> =>
  bindByHand(rehearsal.admin, { namespace, name }, spec);

const scale = (replicas: number): Promise<unknown> =>
  rehearsal.admin
    .resource(statefulSets)
    .patch({ namespace, name: 'shop' }, { type: 'merge', body: { spec: { replicas } } });

const ready = async (): Promise<Pod[]> => {
  const { items } = await rehearsal.admin.resource(pods).list({ namespace, labelSelector: 'app=shop' });
  return items.filter((pod) => isReady(pod) && pod.metadata?.deletionTimestamp === undefined);
};

describe('a StatefulSet of three on SFS', () => {
  const names = ['shop-0', 'shop-1', 'shop-2'];
  /** By name of the pod. */
  const shares = new Map<string, string>();
  const shareFor = (pod: string): string => shares.get(pod) ?? '';
  /** One line for each start of the pod. */
  const starts = async (pod: string): Promise<string[]> => {
    const text = await readFile(path.join(shareOf(shareFor(pod)).folder, 'starts'), 'utf8');
    return text.trim().split('\n');
  };

  const set: StatefulSet = {
    metadata: { namespace, name: 'shop', labels: enforce },
    spec: {
      serviceName: 'shop',
      replicas: 3,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: { app: 'shop' } },
      template: {
        metadata: { labels: { app: 'shop' } },
        spec: {
          terminationGracePeriodSeconds: 2,
          containers: [
            container(`hostname >> /data/starts; ${forever}`, { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
          ],
        },
      },
      volumeClaimTemplates: [claimFor({ name: 'data' }, { storageClassName: 'csi-nas' })],
    },
  };

  test('is foretold by plan, and gets its three file systems', async () => {
    const file = path.join(rehearsal.testbed.dir, 'shop.json');
    await writeFile(file, JSON.stringify({ apiVersion: 'apps/v1', kind: 'StatefulSet', ...set }));
    // When the network is there.
    await expect
      .poll(async () => (await plan(file)).workloads)
      .toMatchObject([
        { pools: [{ burst: 'yes', reasons: [] }], claims: [{ claim: 'data-shop-0', state: 'expected' }] },
      ]);

    await rehearsal.admin.resource(statefulSets).create(set);
    await expect.poll(ready).toHaveLength(3);
    const { items } = await rehearsal.admin.resource(persistentVolumes).list();
    for (const { spec } of items) {
      const pod = spec?.claimRef?.name?.replace('data-', '') ?? '';
      if (names.includes(pod)) shares.set(pod, spec?.csi?.volumeHandle ?? '');
    }
    expect(new Set(shares.values()).size).toBe(3);
    for (const name of names) {
      // Ready is who has started, and may not have written anything yet.
      await expect.poll(() => starts(name)).toEqual([name]);
      expect(shareOf(shareFor(name)).bound).toHaveLength(1);
    }
    expect(await why('shop-1')).toMatchObject({
      claims: [
        { claim: 'data-shop-1', state: 'bound', text: expect.stringContaining('nas.csi.everest.io') as unknown },
      ],
    });
  });

  test('finds its data when its pods are made anew, also after Spillway was killed meanwhile', async () => {
    const before = new Set((await ready()).map(({ metadata }) => metadata?.uid));
    await rehearsal.testbed.stop('SIGKILL');
    await rehearsal.admin.resource(pods).deleteCollection({ namespace, labelSelector: 'app=shop' });
    await rehearsal.testbed.start();
    await expect.poll(async () => (await ready()).filter(({ metadata }) => !before.has(metadata?.uid))).toHaveLength(3);
    for (const name of names) {
      await expect.poll(() => starts(name)).toEqual([name, name]);
      expect(happenedTo(shareFor(name))).not.toContain('deleted');
    }
  });

  test('keeps its claims when it is scaled down; in CCI, what no pod uses is unbound and stays', async () => {
    await scale(1);
    await expect.poll(() => shareOf(shareFor('shop-1')).bound).toEqual([]);
    await expect.poll(() => shareOf(shareFor('shop-2')).bound).toEqual([]);
    expect(shareOf(shareFor('shop-0')).bound).toHaveLength(1);
    const { items } = await rehearsal.admin.resource(persistentVolumeClaims).list({ namespace });
    const phases = items.flatMap(({ metadata, status }) =>
      metadata?.name?.startsWith('data-shop-') ? [status?.phase] : [],
    );
    expect(phases).toEqual(['Bound', 'Bound', 'Bound']);
    expect(happenedTo(shareFor('shop-1'))).not.toContain('deleted');

    await scale(2);
    await expect.poll(ready).toHaveLength(2);
    await expect.poll(() => starts('shop-1')).toEqual(['shop-1', 'shop-1', 'shop-1']);
  });

  test('whose claim is deleted keeps its data while its pod runs; then CCI has it no more, and only the driver deletes it', async () => {
    const claims = rehearsal.admin.resource(persistentVolumeClaims);
    const [used, unused] = [shareFor('shop-0'), shareFor('shop-1')];
    await claims.delete({ namespace, name: 'data-shop-0' });
    await rehearsal.eventually('the claim is about to go', async () => {
      const { metadata } = await claims.get({ namespace, name: 'data-shop-0' });
      return metadata?.deletionTimestamp !== undefined;
    });
    expect(shareOf(used)).toMatchObject({ exists: true, bound: [expect.any(String)] });
    expect(await ready()).toHaveLength(2);

    await scale(0);
    await expect.poll(() => shareOf(used).bound).toEqual([]);
    await expect.poll(() => shareOf(used).exists).toBe(false);
    await expect.poll(() => shareOf(unused).bound).toEqual([]);
    expect(everest.deleted).toEqual(new Set([used]));
    expect(shareOf(unused).exists).toBe(true);
    for (const id of shares.values()) {
      const history = happenedTo(id);
      expect(history.filter((what) => what === 'released')).toHaveLength(
        history.filter((what) => what === 'imported').length,
      );
      expect(history.filter((what) => what === 'deleted')).toHaveLength(everest.deleted.has(id) ? 1 : 0);
    }
  });
});

const mounting = (script: string, claimName: string, mount: object): Partial<PodSpec> => ({
  containers: [container(script, { volumeMounts: [{ name: 'data', mountPath: '/data', ...mount }] })],
  volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
});

test('pods share a folder of an SFS Turbo, which is bound once, and may mount parts of it', async () => {
  const turbo = await newShare('sfs-turbo');
  await bind('media', volumeOn('sfsturbo.csi.everest.io', turbo, 'apps/media'));
  await bind('media-too', volumeOn('sfsturbo.csi.everest.io', turbo, 'apps/media'));
  const waits = 'until grep -q hello /data/note; do sleep 0.1; done; touch /tmp/seen';
  const readinessProbe = { exec: { command: ['test', '-f', '/tmp/seen'] }, periodSeconds: 1 };
  const reading = mounting(`${waits}; ${forever}`, 'media-too', { subPath: 'today', readOnly: true });
  await Promise.all([
    rehearsal.create(
      'writes',
      '',
      mounting(`mkdir -p /data/today; echo hello > /data/today/note; ${forever}`, 'media', {}),
    ),
    rehearsal.create('reads', '', {
      ...reading,
      containers: (reading.containers ?? []).map((each) => ({ ...each, readinessProbe })),
    }),
  ]);
  await rehearsal.ready('writes');
  await rehearsal.ready('reads');
  expect(await readFile(path.join(turbo.folder, 'apps/media/today/note'), 'utf8')).toBe('hello\n');
  expect(shareOf(turbo.id).bound).toHaveLength(1);

  await rehearsal.delete('writes');
  expect(shareOf(turbo.id).bound).toHaveLength(1);
  await rehearsal.delete('reads');
  await expect.poll(() => shareOf(turbo.id).bound).toEqual([]);
  expect(happenedTo(turbo.id)).toEqual(['created', 'imported', 'released']);
  expect(await readFile(path.join(turbo.folder, 'apps/media/today/note'), 'utf8')).toBe('hello\n');
});

interface Case {
  readonly name: string;
  readonly spec: Partial<PodSpec>;
  /** What events, plan and why say. */
  readonly text: string;
  readonly burst: 'no' | 'notNow';
}

const withClaim = (claimName: string): Partial<PodSpec> => ({
  volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
});

const cases: readonly Case[] = [
  { name: 'on-a-disk', spec: withClaim('disk'), text: 'the claim "disk" is on an EVS disk', burst: 'no' },
  {
    name: 'without-claim',
    spec: withClaim('none'),
    text: 'the PersistentVolumeClaim "none" does not exist',
    burst: 'notNow',
  },
  {
    name: 'bound-elsewhere',
    spec: withClaim('late'),
    text: 'the PersistentVolume "disk" of the claim "late" is bound to the claim "work/disk"',
    burst: 'notNow',
  },
  { name: 'of-first-consumer', spec: withClaim('waiting'), text: 'WaitForFirstConsumer', burst: 'notNow' },
  {
    name: 'part-of-scratch',
    spec: {
      volumes: [{ name: 'data', emptyDir: {} }],
      containers: [container(forever, { volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'a' }] })],
    },
    text: 'emptyDir',
    burst: 'no',
  },
];

const podOf = ({ name, spec }: Case): Pod => ({
  metadata: { namespace, name, labels: enforce },
  spec: { containers: [container(forever)], ...spec },
});

describe('a pod that cannot have its storage', () => {
  beforeAll(async () => {
    const { admin } = rehearsal;
    await bind('disk', volumeOn('disk.csi.everest.io', { id: 'disk-1', exportLocation: 'none:/' }));
    const claims = admin.resource(persistentVolumeClaims);
    await claims.create(claimFor({ namespace, name: 'late' }, { storageClassName: '', volumeName: 'disk' }));
    await claims.create(claimFor({ namespace, name: 'waiting' }, { storageClassName: 'waiting' }));
    await Promise.all(cases.map((each) => admin.resource(pods).create(podOf(each))));
  });

  test.each(cases)('$name: is told so in events, by plan and by why', async (one) => {
    const file = path.join(rehearsal.testbed.dir, `${one.name}.json`);
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...podOf(one) }));
    const [planned] = (await plan(file)).workloads;
    const known = await why(one.name);
    for (const answer of [planned?.pools, known.virtualNodes]) {
      expect(answer).toMatchObject([
        {
          burst: one.burst,
          reasons: [{ message: expect.stringContaining(one.text), remedy: expect.stringMatching(/./) }],
        },
      ]);
    }
    await expect.poll(() => told(one.name)).toContainEqual(expect.stringContaining(one.text));
  });

  test('waits on the virtual node, too, and starts when it can have it', async () => {
    const share = await newShare('sfs');
    await rehearsal.create('early', '', {
      containers: [container(forever, { volumeMounts: [{ name: 'data', mountPath: '/data' }] })],
      ...withClaim('later'),
    });
    await expect
      .poll(() => told('early'))
      .toContainEqual(expect.stringContaining('FailedMount: MountVolume.SetUp failed for volume "data"'));
    expect((await rehearsal.get('early')).status?.phase).toBe('Pending');
    await bind('later', volumeOn('nas.csi.everest.io', share));
    await rehearsal.ready('early');
    expect(shareOf(share.id).bound).toHaveLength(1);
    await rehearsal.delete('early');
  });

  test('is told by the virtual node that the claim is on a storage that it cannot mount', async () => {
    await rehearsal.create('forced', '', { containers: [container(forever)], ...withClaim('disk') });
    await expect
      .poll(() => told('forced'))
      .toContainEqual(expect.stringMatching(/NotSupportedByPool: .*on an EVS disk.*SFS/));
    await rehearsal.deleteByForce('forced');
  });
});

/** Events of a pod: reason, and message. */
async function told(name: string): Promise<string[]> {
  const fieldSelector = `involvedObject.name=${name}`;
  const { items } = await rehearsal.admin.resource(events).list({ namespace, fieldSelector });
  return items.map(({ reason, message }: Event) => `${reason}: ${message}`);
}

async function plan(file: string): Promise<Plan> {
  return JSON.parse(await spillway('plan', '-f', file));
}

async function why(name: string): Promise<Why> {
  return JSON.parse(await spillway('why', name));
}

async function spillway(...args: readonly string[]): Promise<string> {
  const asked = ['--kubeconfig', rehearsal.cluster.kubeconfig, '-n', namespace, '-o', 'json'];
  const { stdout, stderr, code } = await runSpillway([...args, ...asked]);
  if (stdout === '') throw new Error(`spillway ${args.join(' ')} ended with code ${code}: ${stderr}`);
  return stdout;
}
