import type { Logger, Pod } from '@spillway/kube';
import type { Backend, Owner, Review } from '../backends/backend.ts';
import { CriBackend } from '../backends/cri/cri-backend.ts';
import { reviewPod } from '../backends/cri/review.ts';
import { makeSimulatedBackend } from '../backends/simulated/make-simulated.ts';
import type { BackendConfig } from '../config/backends.ts';

// The only place that knows which backends there are.

export function makeBackend(config: BackendConfig, owner: Owner, logger: Logger): Backend {
  switch (config.type) {
    case 'cri': {
      const { type: _, ...options } = config;
      return new CriBackend({ options, owner, logger });
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

/** The backend's `review`, for those who run no pods: nothing is opened for it. */
export function reviewFor(config: BackendConfig, pod: Pod): Review {
  switch (config.type) {
    case 'cri':
      return reviewPod(pod, config);
    default:
      return { refusals: [] };
  }
}
