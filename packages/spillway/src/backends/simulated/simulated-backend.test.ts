import { offered } from '../testing/offered.ts';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@spillway/kube';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describeBackendConformance } from '../testing/conformance.ts';
import { makeWorkload, script } from '../testing/workloads.ts';
import { SimulatedBackend } from './simulated-backend.ts';
import type { PodRecord } from './simulated-pod.ts';
import { SimulatedRegion } from './simulated-region.ts';

describeBackendConformance('simulated', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spillway-simulated-'));
  const scenario = { usage: { everySeconds: 0.1 } };
  const options = { startDelayMs: 5, stopDelayMs: 5, stateFile: join(folder, 'state.json'), scenario };
  const owner = { clusterId: 'cluster', nodeName: 'virtual' };
  return {
    image: 'busybox',
    open: async () => new SimulatedBackend({ region: new SimulatedRegion({ options, logger: silentLogger }), owner }),
    dispose: () => rm(folder, { recursive: true }),
  };
});

it('a container whose image is changed is started anew, whatever the restart policy', async () => {
  const region = new SimulatedRegion({ options: { startDelayMs: 0, stopDelayMs: 0 }, logger: silentLogger });
  const backend = new SimulatedBackend({ region, owner: { clusterId: 'mine', nodeName: 'virtual' } });
  const spec = { restartPolicy: 'Never', containers: [script('sleep 3600')] };
  const workload = makeWorkload({ image: 'busybox:1', spec });
  const look = async (): Promise<unknown> => (await backend.list()).instances[0];
  await backend.create(workload);
  await expect.poll(look).toMatchObject({ state: 'running', revision: workload.revision });
  const pod = { ...workload.pod, spec: makeWorkload({ image: 'busybox:2', spec }).pod.spec ?? { containers: [] } };
  const change = { volumes: new Map(), objects: workload.objects, workload: { ...workload, pod, revision: 'r2' } };
  expect(await backend.update(workload.ref, change)).toEqual([]);
  await expect.poll(look).toMatchObject({
    state: 'running',
    revision: 'r2',
    containerStatuses: [{ image: 'busybox:2', restartCount: 1, state: { running: {} } }],
  });
  await backend.close();
});

it('a native sidecar runs beside the containers, starts again when it ends, and keeps no pod from its end', async () => {
  const region = new SimulatedRegion({ options: { startDelayMs: 0, stopDelayMs: 0 }, logger: silentLogger });
  const backend = new SimulatedBackend({ region, owner: { clusterId: 'mine', nodeName: 'virtual' } });
  const sidecar = { ...script('sleep 0.01'), name: 'side', restartPolicy: 'Always' };
  const containers = [script('sleep 0.3; exit 3')];
  const workload = makeWorkload({
    image: 'busybox',
    spec: { restartPolicy: 'Never', initContainers: [sidecar], containers },
  });
  const look = async (): Promise<unknown> => (await backend.list()).instances[0];
  await backend.create(workload);
  await expect.poll(look).toMatchObject({
    state: 'running',
    initContainerStatuses: [{ lastState: { terminated: { exitCode: 0 } } }],
    containerStatuses: [{ state: { running: {} } }],
  });
  await expect
    .poll(look)
    .toMatchObject({ state: 'ended', containerStatuses: [{ state: { terminated: { exitCode: 3 } } }] });
  await backend.close();
});

it('what was told of an instance is known to the next process, however suddenly this one ends', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spillway-simulated-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const stateFile = join(folder, 'state.json');
  const region = new SimulatedRegion({ options: { startDelayMs: 0, stopDelayMs: 0, stateFile }, logger: silentLogger });
  const backend = new SimulatedBackend({ region, owner: { clusterId: 'mine', nodeName: 'virtual' } });
  const names = Array.from({ length: 20 }, (_, index) => `web-${index}`);
  const running = new Set<string>();
  const unknown: string[] = [];
  const enough = new AbortController();
  const isKept = (uid: string): boolean => {
    const text = existsSync(stateFile) ? readFileSync(stateFile, 'utf8') : '[]';
    const kept: readonly { readonly workload: string; readonly record: PodRecord }[] = JSON.parse(text);
    const found = kept.find(({ workload }) => workload.includes(uid));
    return Object.values(found?.record.containers ?? {}).some(({ state }) => state.running !== undefined);
  };
  const watching = (async () => {
    for await (const event of backend.watch(enough.signal)) {
      if (event.type !== 'changed' || event.instance.state !== 'running') continue;
      const { uid, name } = event.instance.ref;
      if (!isKept(uid)) unknown.push(name);
      running.add(name);
    }
  })();
  const spec = { containers: [script('sleep 3600')] };
  await Promise.all(names.map((name) => backend.create(makeWorkload({ image: 'busybox', name, spec }))));
  await expect.poll(() => running.size).toBe(names.length);
  expect(unknown).toEqual([]);
  enough.abort();
  await watching;
  await backend.close();
});

describe('a region that several share', () => {
  const region = new SimulatedRegion({ options: { startDelayMs: 0, stopDelayMs: 0 }, logger: silentLogger });
  const { signal } = new AbortController();
  const mine = new SimulatedBackend({ region, owner: { clusterId: 'mine', nodeName: 'virtual' } });
  const others = [
    new SimulatedBackend({ region, owner: { clusterId: 'theirs', nodeName: 'virtual' } }),
    new SimulatedBackend({ region, owner: { clusterId: 'mine', nodeName: 'virtual-2' } }),
  ];

  it('shows and touches only what has the owner’s marks, also when UIDs are the same', async () => {
    const workload = makeWorkload({ image: 'busybox', name: 'web', spec: { containers: [script('sleep 3600')] } });
    const news: string[] = [];
    const ending = new AbortController();
    const watching = (async () => {
      for await (const { type } of mine.watch(ending.signal)) news.push(type);
    })();
    for (const other of others) {
      await other.create(workload);
      await expect.poll(async () => (await other.list()).instances).toMatchObject([{ state: 'running' }]);
      await mine.stop(workload.ref, { graceSeconds: 0 });
      await mine.remove(workload.ref);
      await expect(mine.exec(workload.ref, 'main', ['true'], offered({ tty: false }), signal)).rejects.toMatchObject({
        kind: 'notFound',
      });
    }
    expect((await mine.list()).instances).toEqual([]);
    await mine.close();
    for (const other of others) {
      expect((await other.list()).instances).toMatchObject([{ ref: workload.ref, state: 'running' }]);
    }
    await Promise.all(others.map((other) => other.close()));
    ending.abort();
    await watching;
    expect(news).toEqual([]);
  });
});
