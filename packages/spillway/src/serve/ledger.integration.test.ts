// What Spillway writes down as billed, and what the meter of a region says that judges by what runs there.
import { type Region, startRegion } from '@spillway/cci-standin';
import { KubeClient, loadKubeconfig, type Pod, type PodSpec, pods, uidOf } from '@spillway/kube';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { disagreements } from '../../testkit/compare-bills.ts';
import { spillwayProgram } from '../../testkit/program.ts';
import { Rehearsal, rehearsalNamespace } from '../../testkit/rehearsal.ts';
import type { Report } from '../ledger/report.ts';

let region: Region;
let rehearsal: Rehearsal;
let inRegion: KubeClient;

beforeAll(async () => {
  rehearsal = await Rehearsal.start(async ({ hostAddress }) => {
    region = await startRegion({
      controlPlane: borrowCluster,
      host: hostAddress,
      networkStepMs: 100,
      node: 'simulated',
      simulated: { startDelayMs: 50, stopDelayMs: 50 },
      program: spillwayProgram,
    });
    return { backend: 'cci', cci: { at: region } };
  });
  inRegion = new KubeClient({ config: await loadKubeconfig({ paths: [region.cluster.kubeconfig] }) });
});
afterAll(async () => {
  await inRegion?.close();
  await rehearsal?.[Symbol.asyncDispose]();
  await region?.close();
});

const small = { cpu: '500m', memory: '1Gi' };
/** It is billed as the next size that there is. */
const odd = { cpu: '300m', memory: '1Gi' };
const large = { cpu: '1', memory: '4Gi' };
const sizes = [small, odd, large];

function create(
  name: string,
  script: string,
  requests: Record<string, string> = small,
  spec: Partial<PodSpec> = {},
): Promise<Pod> {
  const container = { name: 'main', image: 'busybox', command: ['sh', '-c', script], resources: { requests } };
  return rehearsal.create(name, script, { containers: [container], ...spec });
}

/** A row for each pod, until the moment of the meter's reading. */
async function ledger(until: string): Promise<Report> {
  const { testbed } = rehearsal;
  const args = ['ledger', '--config', testbed.configFile, '--by', 'pod', '--until', until, '-o', 'json'];
  const report: Report = JSON.parse(await testbed.spillway(args));
  return report;
}

/** Both as they agree with each other. */
async function bills(): Promise<Report> {
  return rehearsal.eventually('ledger and meter to agree', async () => {
    const reading = await region.meter.read();
    const report = await ledger(reading.at);
    const found = disagreements(report, reading);
    if (found.length > 0) throw new Error(found.join('\n'));
    return report;
  });
}

/** A pod of the cluster, as the region has it. */
async function regionPods(uid: string): Promise<readonly Pod[]> {
  return (await inRegion.resource(pods).list({ labelSelector: `spillway.dev/pod-uid=${uid}` })).items;
}

/** Its time is over there, and the region ends it by itself. */
async function endInRegion(name: string): Promise<void> {
  const uid = uidOf(await rehearsal.get(name));
  const [pod] = await regionPods(uid);
  const { namespace = '', name: there = '' } = pod?.metadata ?? {};
  const body = { spec: { activeDeadlineSeconds: 1 } };
  await inRegion.resource(pods).patch({ namespace, name: there }, { type: 'merge', body });
  await rehearsal.eventually(`pod ${name} to end in the region`, async () => {
    const [now] = await regionPods(uid);
    return now?.status?.phase === 'Failed';
  });
}

async function admin(method: string, what: string): Promise<unknown> {
  const { endpoint, token } = region.admin;
  const response = await fetch(`${endpoint}/${what}`, { method, headers: { authorization: `Bearer ${token}` } });
  return response.json();
}

const never: Partial<PodSpec> = { restartPolicy: 'Never' };

it('the ledger and the meter of the region agree, also about what happened while Spillway was away', async () => {
  const names = Array.from({ length: 15 }, (_, index) => `web-${index}`);
  await Promise.all([
    ...names.map((name, index) => create(name, 'sleep 3600', sizes[index % sizes.length])),
    create('short', 'sleep 2', odd, never),
    create('fails', 'exit 3', odd, never),
    create('crashes', 'sleep 1; exit 1'),
  ]);
  await Promise.all(names.map((name) => rehearsal.ready(name)));
  await Promise.all([
    rehearsal.reaches('short', 'Succeeded', ({ status }) => status?.phase === 'Succeeded'),
    rehearsal.reaches('fails', 'Failed', ({ status }) => status?.phase === 'Failed'),
    rehearsal.reaches('crashes', 'restarted', ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) > 1),
  ]);
  await Promise.all(names.slice(0, 3).map((name) => rehearsal.delete(name)));
  const first = await bills();
  expect(first.total).toMatchObject({ pods: 18, running: 13 });
  expect(first.rows.map(({ cpu, memory }) => `${cpu} ${memory}`)).toContain('500m 1Gi');

  await create('ends-meanwhile', 'sleep 3600', large, never);
  await rehearsal.ready('ends-meanwhile');
  await rehearsal.testbed.stop('SIGKILL');
  const orphan = uidOf(await rehearsal.get('web-3'));
  await rehearsal.deleteByForce('web-3');
  await create('comes-meanwhile', 'sleep 3600');
  // The gateway's clients start anew as well; the meter goes on.
  await admin('POST', 'restart');
  await endInRegion('ends-meanwhile');
  await rehearsal.testbed.start();
  await rehearsal.ready('comes-meanwhile');
  await rehearsal.reaches('ends-meanwhile', 'Failed', ({ status }) => status?.phase === 'Failed');
  await rehearsal.eventually('the instance without a pod to be gone', async () => {
    return (await regionPods(orphan)).length === 0;
  });
  const second = await bills();
  expect(second.total).toMatchObject({ pods: 20, running: 13 });
  expect(second.rows.find(({ name }) => name === 'ends-meanwhile')).toMatchObject({
    cpu: '1',
    memory: '4Gi',
    reason: 'DeadlineExceeded',
  });

  const { items } = await rehearsal.admin.resource(pods).list({ namespace: rehearsalNamespace });
  await Promise.all(items.map(({ metadata }) => rehearsal.delete(metadata?.name ?? '')));
  const last = await bills();
  expect(last.total).toMatchObject({ pods: 20, running: 0 });
  expect(await admin('GET', 'meter')).toMatchObject({ running: 0, overlapping: [] });
});
