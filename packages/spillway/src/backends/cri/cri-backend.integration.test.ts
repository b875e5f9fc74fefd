import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import { describeBackendConformance } from '../testing/conformance.ts';
import { describeContainers } from '../testing/cri-containers.ts';
import { CriPool } from '../testing/cri-pool.ts';
import { CriSession } from '../testing/cri-session.ts';
import { describeTrouble } from '../testing/cri-trouble.ts';

describe('pods on a real containerd', () => {
  let pool: CriPool;

  beforeAll(async () => {
    pool = await CriPool.start();
  });

  afterAll(async () => {
    await pool?.dispose();
  });

  describeBackendConformance('cri', async () => ({
    image: pool.image,
    open: async () => pool.open(),
    dispose: async () => expect(await pool.residue()).toEqual([]),
  }));

  describe('of a session', () => {
    const session = new CriSession(() => pool);

    beforeEach(() => session.reopen());

    afterEach(async () => {
      expect(await session.finish()).toEqual([]);
    });

    describeContainers(session);
    describeTrouble(session);
  });
});
