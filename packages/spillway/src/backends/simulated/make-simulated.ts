import type { Backend } from '../backend.ts';
import { RehearsalBackend } from './rehearsal.ts';
import { SimulatedBackend, type SimulatedBackendDependencies } from './simulated-backend.ts';

/** The simulated backend, with everything that its scenario makes go wrong. */
export function makeSimulatedBackend(dependencies: SimulatedBackendDependencies): Required<Backend> {
  const { options, clock } = dependencies;
  const backend = new SimulatedBackend(dependencies);
  if (options.scenario === undefined) return backend;
  return new RehearsalBackend({ backend, scenario: options.scenario, ...(clock === undefined ? {} : { clock }) });
}
