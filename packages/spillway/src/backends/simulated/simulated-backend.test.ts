import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@spillway/kube';
import { describeBackendConformance } from '../testing/conformance.ts';
import { SimulatedBackend } from './simulated-backend.ts';

describeBackendConformance('simulated', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spillway-simulated-'));
  const options = { startDelayMs: 5, stopDelayMs: 5, stateFile: join(folder, 'state.json') };
  const owner = { clusterId: 'cluster', nodeName: 'virtual' };
  return {
    image: 'busybox',
    open: async () => new SimulatedBackend({ options, owner, logger: silentLogger }),
    dispose: () => rm(folder, { recursive: true }),
  };
});
