import { type Capacity, BackendError } from '../backend.ts';
import { drawMs } from './duration.ts';
import type { ContainerLoad, Scenario } from './scenario.ts';
import { seededRandom } from './seeded-random.ts';

/** A pool without containers: everything is answered from memory, after settable delays. */
export interface SimulatedBackendOptions {
  /** From `create` until the containers run. Default 300. */
  readonly startDelayMs?: number;
  /** From SIGTERM until a container has ended, if it is given that long. Default 100. */
  readonly stopDelayMs?: number;
  /** Addresses of pods, as an IPv4 network. Nothing answers there. Default `10.246.0.0/16`. */
  readonly podCidr?: string;
  /** Instances are kept here and found by the next process. Default: nowhere, they end with the process. */
  readonly stateFile?: string;
  readonly capacity?: Partial<Capacity>;
  /** What goes wrong. Default: nothing. */
  readonly scenario?: Scenario;
}

export interface ResolvedSimulatedOptions {
  /** Drawn anew for each instance. */
  readonly startDelayMs: () => number;
  readonly stopDelayMs: number;
  readonly podCidr: string;
  readonly stateFile: string | undefined;
  readonly capacity: Capacity;
  readonly measuredEveryMs: number;
  readonly loads: readonly ContainerLoad[];
}

export function resolveSimulatedOptions(options: SimulatedBackendOptions): ResolvedSimulatedOptions {
  const { startDelayMs = 300, stopDelayMs = 100, podCidr = '10.246.0.0/16', stateFile, capacity, scenario } = options;
  for (const [name, value] of Object.entries({ startDelayMs, stopDelayMs })) {
    if (!(value >= 0)) throw new BackendError('invalid', `${name} is ${value}, but must be at least 0`);
  }
  return {
    startDelayMs: startDelays(startDelayMs, scenario),
    stopDelayMs,
    podCidr,
    stateFile,
    capacity: { cpu: '1000', memory: '4000Gi', pods: '10000', ...capacity },
    measuredEveryMs: (scenario?.usage?.everySeconds ?? 15) * 1000,
    loads: scenario?.usage?.containers ?? [],
  };
}

function startDelays(startDelayMs: number, scenario: Scenario | undefined): () => number {
  const duration = scenario?.startDelay ?? startDelayMs;
  // Its own numbers, so that a delay does not depend on how many calls went before.
  const random = seededRandom((scenario?.seed ?? 1) + 1);
  return () => drawMs(duration, random);
}
