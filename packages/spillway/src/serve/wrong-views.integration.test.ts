// Both API servers that Spillway talks to, its own and that of the backend, answer wrongly, late, or for somebody else. The
// backend's cluster is a real control plane, whose node is a simulated one.
import { type ChildProcess } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster } from '@spillway/devcluster';
import { events, KubeClient, leases, loadKubeconfig, nameOf, nodes, type Pod, pods, uidOf } from '@spillway/kube';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { burstNamespace } from '../../testkit/burst-namespace.ts';
import { spillwayProgram } from '../../testkit/program.ts';
import { Rehearsal, rehearsalNamespace } from '../../testkit/rehearsal.ts';
import { containerOf } from '../../testkit/statuses.ts';
import { Testbed } from '../../testkit/testbed.ts';
import { type Answer, ApiGateway, type Pass, kubeconfigFor } from './testing/api-gateway.ts';

const wrongForMs = process.env['SPILLWAY_SOAK'] === '1' ? 60_000 : 20_000;
const forever = 'sleep 3600';

let there: Cluster;
let machine: Testbed;
let inBackend: KubeClient;
/** The ways of the process to its own API server and to that of the backend. */
let home: ApiGateway;
let away: ApiGateway;
const truly: Pass = (_, perform) => perform();
let passAway = truly;
let rehearsal: Rehearsal;
const replicas: ChildProcess[] = [];

beforeAll(async () => {
  there = await borrowCluster();
  machine = await Testbed.create({ cluster: there, backend: 'simulated', nodeName: 'machine', taints: [] });
  const config = await loadKubeconfig({ paths: [there.kubeconfig] });
  inBackend = new KubeClient({ config });
  rehearsal = await Rehearsal.start(async (here) => {
    away = await ApiGateway.open(config, (request, perform) => passAway(request, perform), here.hostAddress);
    home = await ApiGateway.open(
      await loadKubeconfig({ paths: [here.kubeconfig] }),
      (_, perform) => perform(),
      here.hostAddress,
    );
    const kubeconfig = await kubeconfigFor(away, path.join(here.dir, 'away.yaml'));
    await machine.start();
    return { backend: 'kubernetes', remote: { kubeconfig }, sweep: { graceSeconds: 3, suspicionSeconds: 3600 } };
  });
  await rehearsal.testbed.stop();
  const kubeconfig = await kubeconfigFor(home, path.join(rehearsal.cluster.dir, 'home.yaml'));
  await changeConfig((before) => ({ ...before, kubernetes: { kubeconfig } }));
  await rehearsal.testbed.start();
});

afterAll(async () => {
  for (const replica of replicas) replica.kill('SIGKILL');
  await rehearsal?.[Symbol.asyncDispose]();
  home?.[Symbol.dispose]();
  away?.[Symbol.dispose]();
  await inBackend?.close();
  await machine?.stop('SIGKILL');
  await there?.close();
});

afterEach(async () => {
  passAway = truly;
  await rehearsal.cluster.kubectl(['delete', 'pods', '--all', '-n', rehearsalNamespace, '--force', '--wait=false']);
  await inBackend.resource(pods).deleteCollection({ namespace: burstNamespace });
});

type Config = Record<string, unknown> & { readonly pools: readonly object[] };

async function changeConfig(change: (before: Config) => Config, file = rehearsal.testbed.configFile): Promise<string> {
  const before: Config = parse(await readFile(rehearsal.testbed.configFile, 'utf8'));
  await writeFile(file, stringify(change(before)));
  return file;
}

const named = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

async function run(names: readonly string[]): Promise<readonly Pod[]> {
  await Promise.all(names.map((name) => rehearsal.create(name, forever)));
  return Promise.all(names.map((name) => rehearsal.ready(name)));
}

const backendPods = async (): Promise<readonly Pod[]> =>
  (await inBackend.resource(pods).list({ namespace: burstNamespace })).items;

/** What would be another one, had it been started again. */
const identityOf = (pod: Pod): unknown => [uidOf(pod), pod.status?.podIP, containerOf(pod)];

/** In both clusters, as it is now: `unharmed` finds the same. */
async function keep(names: readonly string[]): Promise<{ unharmed: () => Promise<void> }> {
  const look = async (): Promise<unknown> => ({
    here: await Promise.all(names.map(async (name) => identityOf(await rehearsal.ready(name)))),
    there: (await backendPods()).map((pod) => identityOf(pod)),
  });
  const before = await look();
  return { unharmed: async () => expect(await look()).toEqual(before) };
}

async function deleteAll(names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => rehearsal.delete(name)));
  await rehearsal.eventually('nothing to be left on the backend', async () => (await backendPods()).length === 0);
}

async function nodeEvent(reason: string): Promise<string | undefined> {
  const fieldSelector = `reason=${reason},involvedObject.name=${rehearsal.testbed.nodeName}`;
  const { items } = await rehearsal.admin.resource(events).list({ fieldSelector });
  return items[0]?.message;
}

/** Whatever is listed, there is nothing. It cannot be streamed. */
const empty: Pass = async ({ path: asked }, perform) => {
  if (asked.includes('sendInitialEvents=')) return { status: 400, headers: {}, body: Buffer.from('') };
  const answer = await perform();
  if (!Buffer.isBuffer(answer.body)) return answer;
  const said: unknown = JSON.parse(answer.body.toString() || 'null');
  if (typeof said !== 'object' || said === null || !('items' in said)) return answer;
  const { 'content-length': __, 'content-encoding': ___, ...headers } = answer.headers;
  return { ...answer, headers, body: Buffer.from(JSON.stringify({ ...said, items: [] })) } satisfies Answer;
};

it('the backend lists nothing for a while, again and again: 50 pods run on, and the node says so', async () => {
  const names = named('pod', 50);
  await run(names);
  const { unharmed } = await keep(names);
  passAway = empty;
  away.disconnect();
  await delay(wrongForMs);
  await rehearsal.eventually('the node to say so', async () =>
    (await nodeEvent('SuspiciousListing'))?.includes('no longer lists'),
  );
  passAway = truly;
  away.disconnect();
  await unharmed();
  await run(['afterwards']);
  await deleteAll([...names, 'afterwards']);
});

it('the address of the API server answers for another cluster for a while: nothing is stopped, and nothing is done there', async () => {
  const names = named('here', 10);
  await run(names);
  const { unharmed } = await keep(names);
  await home.leadTo(await loadKubeconfig({ paths: [there.kubeconfig] }));
  await delay(wrongForMs);
  const strange = (await inBackend.resource(nodes).list()).items.map(nameOf);
  await home.leadTo(await loadKubeconfig({ paths: [rehearsal.cluster.kubeconfig] }));
  expect(strange).toEqual(['machine']);
  await unharmed();
  await run(['later']);
  await rehearsal.delete('here-0');
  await deleteAll([...names.slice(1), 'later']);
});

it('the configuration names another cluster at a restart: nothing is stopped, and pods run on when it is mended', async () => {
  const names = named('mine', 10);
  await run(names);
  const { unharmed } = await keep(names);
  const { testbed } = rehearsal;
  await testbed.stop();
  await home.leadTo(await loadKubeconfig({ paths: [there.kubeconfig] }));
  const elsewhere = start(testbed.configFile);
  await delay(wrongForMs);
  elsewhere.kill('SIGKILL');
  await home.leadTo(await loadKubeconfig({ paths: [rehearsal.cluster.kubeconfig] }));
  await testbed.start();
  await unharmed();
  await deleteAll(names);
});

const elected =
  (kubeletPort: number) =>
  (before: Config): Config => ({
    ...before,
    leaderElection: { enabled: true },
    pools: before.pools.map((pool) => ({ ...pool, kubeletPort })),
  });

it('the leader is paused for a minute in the middle of two creates: one pod runs once, the other, deleted meanwhile, not at all', async () => {
  await rehearsal.testbed.stop();
  const { dir } = rehearsal.testbed;
  const first = start(await changeConfig(elected(10_260), path.join(dir, 'first.yaml')));
  await rehearsal.eventually('the first to lead', async () => (await leader()) !== '');
  const { held, release } = holdCreates(2);
  await rehearsal.create('stays', forever);
  await rehearsal.create('goes', forever);
  await held;
  first.kill('SIGSTOP');
  const pausedAt = Date.now();
  const before = await leader();
  start(await changeConfig(elected(10_261), path.join(dir, 'second.yaml')));
  await rehearsal.eventually('the second to lead', async () => (await leader()) !== before);
  const stays = await rehearsal.ready('stays');
  await rehearsal.ready('goes');
  await rehearsal.delete('goes');
  await rehearsal.eventually('one pod on the backend', async () => (await backendPods()).length === 1);
  await delay(Math.max(0, pausedAt + wrongForMs - Date.now()));
  first.kill('SIGCONT');
  await release();
  // Whoever watches lists again: otherwise the next regular listing, in a minute, would be the first to show what is too many.
  away.disconnect();
  await run(['next']);
  const next = await rehearsal.get('next');
  await rehearsal.eventually('one pod for each on the backend', async () => {
    const uids = (await backendPods()).map(({ metadata }) => metadata?.annotations?.['spillway.dev/pod-uid']);
    return uids.length === 2 && [stays, next].every((pod) => uids.includes(uidOf(pod)));
  });
  expect(identityOf(await rehearsal.ready('stays'))).toEqual(identityOf(stays));
  await deleteAll(['stays', 'next']);
});

async function leader(): Promise<string> {
  const { items } = await rehearsal.admin.resource(leases).list({ namespace: 'spillway-system' });
  return items.map(({ spec }) => spec?.holderIdentity ?? '').join();
}

/** The next creates of pods on the backend arrive when they are released. */
function holdCreates(count: number): { readonly held: Promise<void>; readonly release: () => Promise<void> } {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const done: Promise<Answer>[] = [];
  passAway = (request, perform) => {
    if (done.length === count || request.method !== 'POST' || !/\/pods(\?|$)/.test(request.path)) return perform();
    const late = released.promise.then(perform);
    done.push(late);
    if (done.length === count) held.resolve();
    return late;
  };
  const release = async (): Promise<void> => {
    released.resolve();
    await Promise.all(done);
  };
  return { held: held.promise, release };
}

function start(configFile: string): ChildProcess {
  const [, ...args] = spillwayProgram;
  const child = rehearsal.cluster.spawn(process.execPath, [...args, 'serve', '--config', configFile], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  replicas.push(child);
  return child;
}
