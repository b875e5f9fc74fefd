import type { Logger, Pod } from '@spillway/kube';
import type { Backend, Owner, Refusal } from '../backends/backend.ts';
import { CriBackend } from '../backends/cri/cri-backend.ts';
import { reviewPod } from '../backends/cri/review.ts';
import { podFields } from '../backends/kubernetes/pod-fields.ts';
import { reviewFields } from '../backends/kubernetes/fields.ts';
import { makeKubernetesBackend } from '../backends/kubernetes/make-kubernetes.ts';
import { makeSimulatedBackend } from '../backends/simulated/make-simulated.ts';
import type { BackendConfig } from '../config/backends.ts';
import type { PoolConfig } from '../config/config.ts';
import { sizePod } from '../podspec/sizing/size-pod.ts';

// The only place that knows which backends there are.

export function makeBackend(config: BackendConfig, owner: Owner, logger: Logger): Backend {
  switch (config.type) {
    case 'cri': {
      const { type: _, ...options } = config;
      return new CriBackend({ options, owner, logger });
    }
    case 'kubernetes': {
      const { type: _, ...options } = config;
      return makeKubernetesBackend({ options, owner, logger });
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
    case 'cri':
      return reviewPod(pod, backend).refusals;
    case 'kubernetes':
      return reviewFields(pod, podFields).refusals;
    default:
      return [];
  }
}
