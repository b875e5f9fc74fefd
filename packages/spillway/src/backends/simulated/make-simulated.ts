import type { Owner } from '../backend.ts';
import { FaultyBackend, type WholeBackend } from './faulty-backend.ts';
import { SimulatedBackend } from './simulated-backend.ts';
import { SimulatedRegion, type SimulatedRegionDependencies } from './simulated-region.ts';

/** The simulated backend in a region of its own, with everything that its scenario makes go wrong. */
export function makeSimulatedBackend(dependencies: SimulatedRegionDependencies & { owner: Owner }): WholeBackend {
  const { options, clock, owner } = dependencies;
  const backend = new SimulatedBackend({ region: new SimulatedRegion(dependencies), owner });
  if (options.scenario === undefined) return backend;
  return new FaultyBackend({ backend, scenario: options.scenario, ...(clock === undefined ? {} : { clock }) });
}
