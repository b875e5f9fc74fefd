import { ApiError, type KubeObject, systemClock } from '@spillway/kube';
import { expect, it } from 'vitest';
import { configOf, namespace, objectsOf, simulatedPool } from '../addon/testing/installations.ts';
import type { InstallationOptions } from '../addon/installation/installation.ts';
import { planObjects } from './apply.ts';
import { install, type InstallReport } from './install.ts';
import { FakeCluster } from './testing/fake-cluster.ts';

const never = new AbortController().signal;
const usual = { image: 'spillway:1' };

interface Run {
  readonly written?: string;
  readonly options?: Partial<InstallationOptions>;
  readonly isFirst?: boolean;
  readonly wait?: boolean;
  readonly signal?: AbortSignal;
  readonly onPlanned?: () => void;
  readonly tell?: (line: string) => void;
}

async function run(
  cluster: FakeCluster,
  {
    written = simulatedPool,
    options = usual,
    isFirst = false,
    wait = true,
    signal = never,
    onPlanned,
    tell = () => {},
  }: Run = {},
): Promise<InstallReport> {
  const { client } = cluster;
  const { config } = configOf(written);
  const objects: readonly KubeObject[] = objectsOf(written, options);
  const plan = await planObjects(client, config.name, objects, signal);
  onPlanned?.();
  const configBefore = isFirst ? undefined : configOf(simulatedPool).config;
  let now = 0;
  const sleep = async (ms: number): Promise<void> => {
    now += ms;
  };
  const clock = { ...systemClock, now: () => now, sleep };
  return await install(
    { client, config, namespace, image: '', objects, plan, configBefore, wait, timeoutMs: 5000, tell, clock },
    signal,
  );
}

async function installed(): Promise<FakeCluster> {
  const cluster = new FakeCluster();
  expect(await run(cluster, { isFirst: true })).toMatchObject({ result: 'ready' });
  return cluster;
}

/** What was applied, without what the API server and controllers keep. */
const content = ({ objects }: FakeCluster): unknown =>
  Object.fromEntries(
    Array.from(objects, ([key, object]) => {
      const { labels } = object.metadata ?? {};
      return [key, { ...object, metadata: { labels }, status: undefined }];
    }),
  );

it('an installation becomes ready, with its leader', async () => {
  const cluster = new FakeCluster();
  const report = await run(cluster, { isFirst: true });
  expect(report).toMatchObject({ result: 'ready', pools: [{ name: 'rehearsal', leader: 'spillway-1' }] });
});

it('what is no longer part of it goes once it is ready, and not when nobody waits for that', async () => {
  const linked = `${simulatedPool}link: {image: agent}\n`;
  const cluster = await installed();
  await run(cluster, { written: linked });
  expect(cluster.names('Service')).toContain('spillway-link');
  const applied = await run(cluster, { wait: false });
  expect(applied.changes).not.toContainEqual(expect.objectContaining({ change: 'removed' }));
  expect(cluster.names('Service')).toContain('spillway-link');
  const report = await run(cluster);
  expect(report.changes).toContainEqual(expect.objectContaining({ change: 'removed', name: 'spillway-link' }));
  expect(cluster.names('Service')).not.toContain('spillway-link');
});

it('a version that does not become ready is rolled back: what was there is as it was, and what is new is gone', async () => {
  const cluster = await installed();
  const before = content(cluster);
  const options = { image: 'broken', replicas: 2 };
  const report = await run(cluster, { options, written: `${simulatedPool}link: {image: agent}\n` });
  expect(report).toMatchObject({ result: 'rolledBack', why: expect.stringContaining('not within 5 s') });
  expect(content(cluster)).toEqual(before);
  expect(cluster.deleted).toContain('PodDisruptionBudget spillway');
});

it('what was never ready is not rolled back: somebody has to look at it', async () => {
  const cluster = new FakeCluster();
  const report = await run(cluster, { isFirst: true, options: { image: 'broken' } });
  expect(report.result).toBe('notReady');
  expect(cluster.image()).toBe('broken');
  expect(await run(cluster, { options: usual })).toMatchObject({ result: 'ready' });
});

it('an object that the API server refuses undoes those before it', async () => {
  const cluster = await installed();
  const before = content(cluster);
  const refusal = new ApiError('quota exceeded', { status: 403, reason: 'Forbidden' });
  const report = await run(cluster, {
    options: { image: 'spillway:2', replicas: 2 },
    onPlanned: () => (cluster.refuse = ({ kind }) => (kind === 'Deployment' ? refusal : undefined)),
    tell: (line) => {
      if (line === 'Rolling back') cluster.refuse = () => undefined;
    },
  });
  expect(report).toMatchObject({ result: 'rolledBack', why: 'quota exceeded' });
  expect(content(cluster)).toEqual(before);
});

it('an interruption leaves it as it is, for the next run', async () => {
  const cluster = await installed();
  const stop = new AbortController();
  const stopped = run(cluster, { options: { image: 'broken' }, signal: stop.signal });
  stop.abort(new Error('interrupted'));
  await expect(stopped).rejects.toThrow('interrupted');
});
