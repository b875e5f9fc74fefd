// Faults that hit many pods at once, on a real API server and a real disk.
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { configMaps, events, type Job, jobs, nameOf, type Pod, pods, uidOf } from '@spillway/kube';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Rehearsal, rehearsalNamespace as namespace } from '../../testkit/rehearsal.ts';
import { containerOf } from '../../testkit/statuses.ts';
import type { Report } from '../ledger/report.ts';

const run = promisify(execFile);
const forever = 'sleep 3600';
const isRunning = ({ status }: Pod): boolean => status?.containerStatuses?.[0]?.state?.running !== undefined;

let rehearsal: Rehearsal;

beforeAll(async () => {
  rehearsal = await Rehearsal.start(async () => ({ backend: 'simulated', maxPods: 500 }));
});

afterAll(() => rehearsal?.[Symbol.asyncDispose]());

const listPods = async (labelSelector?: string): Promise<readonly Pod[]> =>
  (await rehearsal.admin.resource(pods).list({ namespace, labelSelector })).items;

const named = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

async function allRun(names: readonly string[]): Promise<readonly Pod[]> {
  return rehearsal.eventually(`${names.length} pods to run`, async () => {
    const found = (await listPods()).filter((pod) => names.includes(nameOf(pod)));
    return found.length === names.length && found.every(isRunning) && found;
  });
}

async function deleteAll(): Promise<void> {
  await rehearsal.cluster.kubectl(['delete', 'jobs,pods', '--all', '-n', namespace, '--wait=false']);
  await rehearsal.eventually('every pod to be gone', async () => (await listPods()).length === 0);
  await rehearsal.eventually('every instance to be gone', async () => (await rehearsal.instances()).size === 0);
}

it('etcd is restored from a snapshot that has 20 of 50 pods: those run on, the others are held back, reported, and gone in the end', async () => {
  const old = named('old', 20);
  const since = named('since', 30);
  await Promise.all(old.map((name) => rehearsal.create(name, forever)));
  const before = await allRun(old);
  const snapshot = await rehearsal.cluster.etcd.snapshot();
  await Promise.all(since.map((name) => rehearsal.create(name, forever)));
  await allRun(since);
  // So that the restored one is behind for a while.
  const fillers = named('filler', 300).map((name) => ({ metadata: { namespace, name } }));
  await Promise.all(fillers.map((filler) => rehearsal.admin.resource(configMaps).create(filler)));
  const kept = await rehearsal.instances();
  expect(kept.size).toBe(50);
  await rehearsal.cluster.etcd.restore(snapshot);

  await rehearsal.eventually('the event that tells of it', async () => {
    const fieldSelector = `reason=SuspiciousSweep,involvedObject.name=${rehearsal.testbed.nodeName}`;
    const { items } = await rehearsal.admin.resource(events).list({ fieldSelector });
    return items.some(({ message }) => message?.includes('30 of 50 instances'));
  });
  await rehearsal.eventually('what has no pod to be gone', async () => (await rehearsal.instances()).size === 20);
  const after = await rehearsal.instances();
  for (const pod of before) expect(after.get(uidOf(pod))).toEqual(kept.get(uidOf(pod)));
  const now = await allRun(old);
  expect(now.map((pod) => containerOf(pod))).toEqual(before.map((pod) => containerOf(pod)));
  await deleteAll();
});

it('the API server is killed twice while 200 Jobs end: each is Complete after one pod, and nothing of them stays', async () => {
  const names = named('job', 200);
  const startedAt = Date.now();
  const job = (name: string): Job => {
    const seconds = Math.max(3, 30 - Math.round((Date.now() - startedAt) / 1000));
    const container = { name: 'main', image: 'busybox', command: ['sh', '-c', `sleep ${seconds}`] };
    const spec = { restartPolicy: 'Never', nodeName: rehearsal.testbed.nodeName, containers: [container] };
    return { metadata: { namespace, name }, spec: { backoffLimit: 0, template: { spec } } };
  };
  for (const name of names) await rehearsal.admin.resource(jobs).create(job(name));
  const ended = async (): Promise<number> =>
    (await listPods()).filter(({ status }) => status?.phase === 'Succeeded').length;
  const apiServer = rehearsal.cluster.component('kube-apiserver');
  await rehearsal.eventually('some pods to have ended', async () => (await ended()) > 20);
  await apiServer.stop('SIGKILL');
  await apiServer.start();
  await rehearsal.eventually('more pods to have ended', async () => (await ended()) > 60);
  await apiServer.stop('SIGKILL');
  // Not a wait: this is how long it is away.
  await delay(5000);
  await apiServer.start();

  await rehearsal.eventually('every Job to be Complete', async () => {
    const { items } = await rehearsal.admin.resource(jobs).list({ namespace });
    return items.length === names.length && items.every(({ status }) => status?.succeeded === 1);
  });
  const list = await listPods();
  expect(list).toHaveLength(names.length);
  expect(new Set(list.map(({ status }) => status?.phase))).toEqual(new Set(['Succeeded']));
  expect(new Set(list.map((pod) => containerOf(pod)?.restarts))).toEqual(new Set([0]));
  await deleteAll();
});

it('the disk of the ledger is full while 40 pods come and go: nothing that ran is missing in the end', async () => {
  const { testbed } = rehearsal;
  const directory = path.join(testbed.dir, 'ledger');
  const filler = path.join(directory, 'filler');
  await testbed.stop();
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]);
  try {
    await testbed.start();
    const first = named('before', 5);
    await Promise.all(first.map((name) => rehearsal.create(name, forever)));
    await allRun(first);
    await writeFile(filler, Buffer.alloc(1024 * 1024)).catch(() => undefined);
    const meanwhile = named('meanwhile', 40);
    await Promise.all(meanwhile.map((name) => rehearsal.create(name, forever)));
    await allRun(meanwhile);
    await deleteAll();
    await rehearsal.eventually('the log to tell it', async () =>
      (await rehearsal.log()).includes('cannot write the ledger'),
    );
    await rm(filler);
    await rehearsal.eventually('the ledger to be written again', async () =>
      (await rehearsal.log()).includes('writing the ledger works again'),
    );
    await testbed.stop('SIGKILL');
    const ledger = ['ledger', '--config', testbed.configFile, '--by', 'pod', '-o', 'json'];
    const report: Report = JSON.parse(await testbed.spillway(ledger));
    expect(new Set(report.rows.map(({ name }) => name))).toEqual(new Set([...first, ...meanwhile]));
    expect(report.total).toMatchObject({ pods: 45, running: 0 });
  } finally {
    await testbed.stop('SIGKILL');
    await run('umount', [directory]);
  }
});
