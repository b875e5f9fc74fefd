import type { Logger } from '@spillway/kube';
import type { Backend, Owner } from '../backends/backend.ts';
import { cciSupport } from '../backends/cci/fields.ts';
import { makeCciBackend } from '../backends/cci/make-cci.ts';
import { surveyCci } from '../backends/cci/survey.ts';
import { makeKubernetesBackend } from '../backends/kubernetes/make-kubernetes.ts';
import { surveyKubernetes } from '../backends/kubernetes/survey.ts';
import type { Survey } from '../backends/survey.ts';
import { supportOfMapped } from '../backends/kubernetes/mapped-claims.ts';
import { makeSimulatedBackend } from '../backends/simulated/make-simulated.ts';
import { simulatedSupport } from '../backends/simulated/simulated-support.ts';
import type { BackendConfig } from '../config/backends.ts';
import { type PoolConfig, poolTaints } from '../config/config.ts';
import type { Pool } from '../podspec/fit/fit.ts';
import { connectedSupport, type Support } from '../podspec/fit/support.ts';

// The only place that knows which backends there are.

export interface BackendSurroundings {
  readonly owner: Owner;
  /** Of the process, for what is configured there. */
  readonly environment: NodeJS.ProcessEnv;
  /** Called right before each request leaves. Throws when it must not: another may be the leader. */
  readonly beforeSend: () => void;
  readonly logger: Logger;
}

export function makeBackend(
  { backend: config, interconnect, deadMan }: Pick<PoolConfig, 'backend' | 'interconnect' | 'deadMan'>,
  { owner, environment, beforeSend, logger }: BackendSurroundings,
): Backend {
  switch (config.type) {
    case 'cci': {
      const { type: _, ...options } = config;
      return makeCciBackend({ options: { ...options, interconnect }, owner, environment, beforeSend, logger });
    }
    case 'kubernetes': {
      const { type: _, ...options } = config;
      const more = { interconnect, deadManImage: deadMan?.image };
      return makeKubernetesBackend({ options: { ...options, ...more }, owner, beforeSend, logger });
    }
    default: {
      const { type: _, stateFile, scenario, ...options } = config;
      if (typeof scenario === 'string') throw new Error(`the scenario ${scenario} was not read`);
      return makeSimulatedBackend({
        options: {
          ...options,
          ...(stateFile === undefined ? {} : { stateFile }),
          ...(scenario === undefined ? {} : { scenario }),
        },
        owner,
        logger,
      });
    }
  }
}

/** Undefined: what there is ends with the process that has it. */
export function makeSurvey(
  config: BackendConfig,
  {
    clusterId,
    environment,
    logger,
  }: Pick<BackendSurroundings, 'environment' | 'logger'> & { readonly clusterId: string | undefined },
): Survey | undefined {
  switch (config.type) {
    case 'cci': {
      const { type: _, ...options } = config;
      return surveyCci({ options, clusterId, environment, logger });
    }
    case 'kubernetes': {
      const { type: _, ...options } = config;
      return surveyKubernetes(options, logger);
    }
    default:
      return undefined;
  }
}

/** For who only asks: nothing is connected or opened. */
export function poolOf(config: PoolConfig): Pool {
  const { name, nodeName, sizing, backend, interconnect } = config;
  const support = connectedSupport(supportOf(backend), interconnect);
  return { name, nodeName, taints: poolTaints(config), sizing, support };
}

export function supportOf(backend: BackendConfig): Support {
  switch (backend.type) {
    case 'cci':
      return cciSupport[backend.apiVersion];
    case 'kubernetes':
      return supportOfMapped(backend.claims);
    default:
      return simulatedSupport;
  }
}
