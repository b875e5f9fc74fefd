// The API server goes away, forgets, or comes back with older data, while pods on the virtual node go on.
import { setTimeout as delay } from 'node:timers/promises';
import { configMaps, pods, secrets, uidOf } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rehearsal, rehearsalNamespace as namespace } from '../../testkit/rehearsal.ts';
import { containerOf, terminatedOf } from '../../testkit/statuses.ts';

const forever = 'sleep 3600';
const once = { restartPolicy: 'Never' } as const;

let rehearsal: Rehearsal;

beforeAll(async () => {
  rehearsal = await Rehearsal.start();
});

afterAll(() => rehearsal?.[Symbol.asyncDispose]());

/** Runs all the time: nothing that the API server does may touch it. */
async function bystander(name: string): Promise<() => Promise<void>> {
  await rehearsal.create(name, forever);
  const before = await rehearsal.ready(name);
  const kept = await rehearsal.eventually(`${name} to run by what the backend has written down`, async () => {
    const instance = (await rehearsal.instances()).get(uidOf(before));
    return instance?.containers['main']?.state.running && instance;
  });
  return async () => {
    const after = await rehearsal.ready(name);
    expect(containerOf(after)).toEqual(containerOf(before));
    expect((await rehearsal.instances()).get(uidOf(after))).toEqual(kept);
  };
}

const isLost = async (name: string): Promise<void> => {
  const { status } = await rehearsal.reaches(name, 'Failed', (pod) => pod.status?.phase === 'Failed');
  expect(status).toMatchObject({ phase: 'Failed', reason: 'InstanceLost' });
  expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', status: 'True' }));
};

const hasNoInstance = (uid: string): Promise<true> =>
  rehearsal.eventually(`no instance of ${uid}`, async () => !(await rehearsal.instances()).has(uid) || undefined);

/** The process hears nothing of what happens meanwhile, and afterwards the API server has forgotten it. */
async function unseen(what: () => Promise<unknown>): Promise<void> {
  rehearsal.pause();
  await what();
  await rehearsal.cluster.etcd.compact();
  await rehearsal.cluster.component('kube-apiserver').restart();
  rehearsal.resume();
}

/** More versions than a control plane makes while it starts, so that the restored one is behind for a while. */
async function history(): Promise<void> {
  const names = Array.from({ length: 300 }, (_, index) => `filler-${index}`);
  await Promise.all(
    names.map((name) => rehearsal.admin.resource(configMaps).create({ metadata: { namespace, name } })),
  );
}

describe('a gap of the watch', () => {
  it('that hides a delete: the instance ends all the same, and others run on', async () => {
    const unharmed = await bystander('seen');
    await rehearsal.create('hidden', forever);
    const { metadata } = await rehearsal.ready('hidden');
    await unseen(() => rehearsal.deleteByForce('hidden'));
    await hasNoInstance(metadata?.uid ?? '');
    await unharmed();
  });

  it('that hides a delete and a new pod of the same name: the old instance ends, the new pod runs', async () => {
    const unharmed = await bystander('namesake');
    await rehearsal.create('twin', forever);
    const old = await rehearsal.ready('twin');
    await unseen(async () => {
      await rehearsal.deleteByForce('twin');
      await rehearsal.create('twin', forever);
    });
    const fresh = await rehearsal.ready('twin');
    expect(uidOf(fresh)).not.toBe(uidOf(old));
    expect(containerOf(fresh)?.id).toContain(uidOf(fresh));
    await hasNoInstance(uidOf(old));
    expect([...(await rehearsal.instances()).keys()]).toContain(uidOf(fresh));
    expect(containerOf(await rehearsal.get('twin'))).toEqual(containerOf(fresh));
    await unharmed();
  });

  it('of a process that was only too slow: the same, told in two events at once', async () => {
    await rehearsal.create('quick', forever);
    const old = await rehearsal.ready('quick');
    rehearsal.pause();
    await rehearsal.deleteByForce('quick');
    await rehearsal.create('quick', forever);
    rehearsal.resume();
    const fresh = await rehearsal.ready('quick');
    expect(containerOf(fresh)?.id).toContain(uidOf(fresh));
    await hasNoInstance(uidOf(old));
    await rehearsal.delete('quick');
    await hasNoInstance(uidOf(fresh));
  });
});

describe('etcd is restored from an older snapshot', () => {
  it('under a running Spillway: what runs goes on, what vanished is swept, what came back is not run again', async () => {
    const unharmed = await bystander('always');
    for (const name of ['deleted-since', 'replaced-since']) await rehearsal.create(name, forever);
    await rehearsal.create('ended-since', 'sleep 10; exit 4', once);
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'since', key: 'a' } } }];
    const container = { name: 'main', image: 'busybox', command: ['sleep', '3600'], env };
    await rehearsal.create('started-since', '', { containers: [container] });
    const deleted = await rehearsal.ready('deleted-since');
    const replaced = await rehearsal.ready('replaced-since');
    const ends = await rehearsal.ready('ended-since');
    await rehearsal.reaches('started-since', 'waiting', ({ status }) =>
      status?.containerStatuses?.some(({ state }) => state?.waiting?.reason === 'CreateContainerConfigError'),
    );
    const snapshot = await rehearsal.cluster.etcd.snapshot();

    for (const name of ['deleted-since', 'replaced-since']) await rehearsal.delete(name);
    await rehearsal.create('replaced-since', forever);
    await rehearsal.create('made-since', forever);
    await rehearsal.admin.resource(secrets).create({ metadata: { name: 'since', namespace }, stringData: { a: 'b' } });
    const replacement = await rehearsal.ready('replaced-since');
    const made = await rehearsal.ready('made-since');
    const started = await rehearsal.ready('started-since');
    const ended = await rehearsal.reaches('ended-since', 'Failed', ({ status }) => status?.phase === 'Failed');
    await history();
    const startedAs = (await rehearsal.instances()).get(uidOf(started));
    await rehearsal.cluster.etcd.restore(snapshot);

    await isLost('deleted-since');
    await isLost('replaced-since');
    expect(uidOf(await rehearsal.get('replaced-since'))).toBe(uidOf(replaced));
    for (const pod of [deleted, replaced, replacement, made]) await hasNoInstance(uidOf(pod));
    await rehearsal.gone('made-since');
    const again = await rehearsal.reaches('ended-since', 'Failed', ({ status }) => status?.phase === 'Failed');
    expect(terminatedOf(again)).toEqual(terminatedOf(ended));
    expect(containerOf(again)).toEqual(containerOf(ends));
    await rehearsal.ready('started-since');
    expect((await rehearsal.instances()).get(uidOf(started))).toEqual(startedAs);
    await unharmed();
    await rehearsal.create('afterwards', forever);
    await rehearsal.ready('afterwards');
  });

  it('while Spillway was down: the same, from what API server and backend say', async () => {
    const unharmed = await bystander('throughout');
    await rehearsal.create('back', forever);
    const back = await rehearsal.ready('back');
    const snapshot = await rehearsal.cluster.etcd.snapshot();
    await rehearsal.delete('back');
    await rehearsal.create('vanished', forever);
    const vanished = await rehearsal.ready('vanished');
    await rehearsal.testbed.stop('SIGKILL');
    await rehearsal.cluster.etcd.restore(snapshot);
    await rehearsal.testbed.start();
    await isLost('back');
    await hasNoInstance(uidOf(back));
    await hasNoInstance(uidOf(vanished));
    await unharmed();
  });
});

describe('the API server is away', () => {
  it('for 60 s while pods end by themselves: their exit codes arrive afterwards, and nothing is restarted', async () => {
    const unharmed = await bystander('stays');
    await rehearsal.create('succeeds', 'sleep 20', once);
    await rehearsal.create('fails', 'sleep 20; exit 3', once);
    const before = await Promise.all(['succeeds', 'fails'].map((name) => rehearsal.ready(name)));
    const apiServer = rehearsal.cluster.component('kube-apiserver');
    await apiServer.stop();
    // Not a wait: this is how long it is away.
    await delay(60_000);
    await rehearsal.eventually('both instances to have ended', async () => {
      const instances = await rehearsal.instances();
      return before.every((pod) => instances.get(uidOf(pod))?.containers['main']?.state.terminated);
    });
    const backAt = Date.now();
    await apiServer.start();
    const ends = await Promise.all(
      before.map(({ metadata }) =>
        rehearsal.reaches(metadata?.name ?? '', 'ended', (pod) => terminatedOf(pod) !== undefined),
      ),
    );
    expect(ends.map(({ status }) => status?.phase)).toEqual(['Succeeded', 'Failed']);
    expect(ends.map((pod) => terminatedOf(pod)?.exitCode)).toEqual([0, 3]);
    for (const pod of ends) expect(Date.parse(terminatedOf(pod)?.finishedAt ?? '')).toBeLessThan(backAt);
    expect(ends.map((pod) => containerOf(pod))).toEqual(before.map((pod) => containerOf(pod)));
    await unharmed();
  });
});

describe('after all of it', () => {
  it('leaves nothing that has no pod, and no pod that was started twice', async () => {
    const { items } = await rehearsal.admin.resource(pods).list({ namespace });
    const instances = await rehearsal.instances();
    expect(items.map(uidOf)).toEqual(expect.arrayContaining([...instances.keys()]));
    expect(items.map((pod) => containerOf(pod)?.restarts ?? 0)).toEqual(items.map(() => 0));
    expect(await rehearsal.log()).not.toContain('defect');
  });
});
