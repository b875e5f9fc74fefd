import { LeadershipLostError, silentLogger } from '@spillway/kube';
import { expect, it } from 'vitest';
import type { Workload } from '../backends/backend.ts';
import { SimulatedBackend } from '../backends/simulated/simulated-backend.ts';
import { SimulatedRegion } from '../backends/simulated/simulated-region.ts';
import { guardedBackend } from './guarded-backend.ts';

it('a backend does what the leader asks, and nothing that changes anything for one that is none any more', async () => {
  const backend = new SimulatedBackend({
    region: new SimulatedRegion({ options: {}, logger: silentLogger }),
    owner: { clusterId: 'c', nodeName: 'virtual' },
  });
  let leads = true;
  const guarded = guardedBackend(backend, {
    check: () => {
      if (!leads) throw new LeadershipLostError('too late');
    },
  });
  const { signal } = new AbortController();
  const ref = { uid: '00000000-0000-4000-8000-000000000001', namespace: 'n', name: 'p' };
  const pod = { metadata: ref };
  const objects = { configMaps: new Map(), secrets: new Map() };
  const change = { volumes: new Map(), objects };
  const workload: Workload = {
    ...change,
    ref,
    pod,
    revision: '1',
    environment: new Map(),
    claims: new Map(),
    registryCredentials: [],
    hostIPs: [],
  };
  await guarded.prepare(signal);
  await guarded.remove(ref, signal);
  leads = false;
  const refusal = { kind: 'unavailable', cause: expect.any(LeadershipLostError) };
  await expect(guarded.prepare(signal)).rejects.toMatchObject(refusal);
  await expect(guarded.stop(ref, { graceSeconds: 0 }, signal)).rejects.toMatchObject(refusal);
  await expect(guarded.remove(ref, signal)).rejects.toMatchObject(refusal);
  await expect(guarded.create(workload, signal)).rejects.toMatchObject(refusal);
  await expect(guarded.update?.(ref, change, signal)).rejects.toMatchObject(refusal);
  expect(await backend.list()).toEqual({ complete: true, instances: [] });
  expect(guarded.capabilities).toBe(backend.capabilities);
  expect((await guarded.list(signal)).complete).toBe(true);
  await guarded.ping(signal);
  await guarded.close();
});
