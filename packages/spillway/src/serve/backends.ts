import type { Logger, Pod } from '@spillway/kube';
import type { Backend, Owner, Refusal } from '../backends/backend.ts';
import { dialects } from '../backends/cci/dialects.ts';
import { makeCciBackend } from '../backends/cci/make-cci.ts';
import { podDialect } from '../backends/cci/pod-dialect.ts';
import { kubernetesDialect } from '../backends/kubernetes/dialect.ts';
import { reviewPod } from '../backends/kubernetes/fields/fields.ts';
import { makeKubernetesBackend } from '../backends/kubernetes/make-kubernetes.ts';
import { makeSimulatedBackend } from '../backends/simulated/make-simulated.ts';
import type { BackendConfig } from '../config/backends.ts';
import type { PoolConfig } from '../config/config.ts';
import { sizePod } from '../podspec/sizing/size-pod.ts';

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
  config: BackendConfig,
  { owner, environment, beforeSend, logger }: BackendSurroundings,
): Backend {
  switch (config.type) {
    case 'cci': {
      const { type: _, ...options } = config;
      return makeCciBackend({ options, owner, environment, beforeSend, logger });
    }
    case 'kubernetes': {
      const { type: _, ...options } = config;
      return makeKubernetesBackend({ options, owner, beforeSend, logger });
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

/** Why pods cannot run in a pool, whatever the cluster says, for who only asks: nothing is connected or opened. */
export function makeReview({
  backend,
  sizing,
}: Pick<PoolConfig, 'backend' | 'sizing'>): (pod: Pod) => readonly Refusal[] {
  return (pod) => {
    const refusals = reviewOf(backend, pod);
    const size = sizePod(pod.spec ?? { containers: [] }, sizing);
    return size.kind === 'refused' ? [...refusals, ...size.refusals] : refusals;
  };
}

function reviewOf(backend: BackendConfig, pod: Pod): readonly Refusal[] {
  switch (backend.type) {
    case 'cci':
      return reviewPod(pod, podDialect(dialects[backend.apiVersion], backend)).refusals;
    case 'kubernetes':
      return reviewPod(pod, kubernetesDialect).refusals;
    default:
      return [];
  }
}
