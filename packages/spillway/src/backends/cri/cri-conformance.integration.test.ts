import { expect } from 'vitest';
import { describeBackendConformance } from '../testing/conformance.ts';
import { CriPool } from '../testing/cri-pool.ts';

describeBackendConformance('cri', async () => {
  const pool = await CriPool.start();
  return {
    image: pool.image,
    open: async () => pool.open(),
    dispose: async () => {
      expect(await pool.residue()).toEqual([]);
      await pool.dispose();
    },
  };
});
