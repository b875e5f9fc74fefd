import { silentLogger } from '@spillway/kube';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Workload } from '../../backends/backend.ts';
import { SimulatedBackend } from '../../backends/simulated/simulated-backend.ts';
import { SimulatedRegion } from '../../backends/simulated/simulated-region.ts';
import { simulatedSupport } from '../../backends/simulated/simulated-support.ts';
import { makeWorkload, script } from '../../backends/testing/workloads.ts';
import { FakePodsApi } from './fake-pods-api.ts';
import { startOfTime } from './objects.ts';
import { Overseer } from './overseer.ts';
import { TestTiming } from './test-timing.ts';

interface Scene {
  readonly overseer: Overseer;
  readonly create: (workload: Workload) => Promise<void>;
  /** Its instance runs, and then its pod is deleted and the instance removed. */
  readonly runAndEnd: () => Promise<void>;
  /** Another request for the same pod. */
  readonly request: Workload;
}

function setUp(): Scene {
  const timing = new TestTiming(startOfTime);
  const api = new FakePodsApi(async () => {}, timing);
  const owner = { clusterId: 'cluster', nodeName: 'virtual' };
  const options = { startDelayMs: 0, stopDelayMs: 0 };
  const region = new SimulatedRegion({ options, logger: silentLogger, clock: timing });
  const simulated = new SimulatedBackend({ region, owner });
  onTestFinished(() => simulated.close());
  const offer = { support: simulatedSupport, sizing: 'none' } as const;
  const overseer = new Overseer({ api, region, owner, backend: simulated, capabilities: {}, offer });
  const { signal } = new AbortController();
  const backend = overseer.backend();
  const workload = makeWorkload({ name: 'web', image: 'busybox', spec: { containers: [script('sleep 3600')] } });
  api.create(workload.pod);
  return {
    overseer,
    create: (request) => backend.create(request, signal),
    runAndEnd: async () => {
      await backend.create(workload, signal);
      await timing.advance(1000);
      expect(overseer.look().map(({ state }) => state)).toEqual(['running']);
      api.delete('web', 30, timing.now());
      await backend.remove(workload.ref, signal);
    },
    request: { ...workload },
  };
}

const wrong = /has run, and is started again/;

describe('what has run and is started again', () => {
  it('is wrong when the process that asks for it serves the node', async () => {
    const { overseer, create, runAndEnd, request } = setUp();
    overseer.createSent(request, () => true);
    await runAndEnd();
    await create(request);
    expect(overseer.violation).toMatch(wrong);
  });

  it('is wrong when it was asked for after the end, although that process is dead by now', async () => {
    const { overseer, create, runAndEnd, request } = setUp();
    let serves = true;
    await runAndEnd();
    overseer.createSent(request, () => serves);
    serves = false;
    await create(request);
    expect(overseer.violation).toMatch(wrong);
  });

  it('is not wrong when it was asked for before the end, by a process that is dead by now', async () => {
    const { overseer, create, runAndEnd, request } = setUp();
    let serves = true;
    overseer.createSent(request, () => serves);
    await runAndEnd();
    serves = false;
    await create(request);
    expect(overseer.violation).toBeUndefined();
  });

  it('is not wrong when it was asked for after the end, by a process that could not know that another leads', async () => {
    const { overseer, create, runAndEnd, request } = setUp();
    await runAndEnd();
    overseer.createSent(request, () => false);
    await create(request);
    expect(overseer.violation).toBeUndefined();
  });
});
