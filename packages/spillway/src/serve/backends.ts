import type { Logger } from '@spillway/kube';
import type { Backend, Owner } from '../backends/backend.ts';
import { CriBackend } from '../backends/cri/cri-backend.ts';
import { SimulatedBackend } from '../backends/simulated/simulated-backend.ts';
import type { BackendConfig } from '../config/backends.ts';

/** The only place that knows which backends there are. */
export function makeBackend(config: BackendConfig, owner: Owner, logger: Logger): Backend {
  switch (config.type) {
    case 'cri': {
      const { type: _, ...options } = config;
      return new CriBackend({ options, owner, logger });
    }
    default: {
      const { type: _, stateFile, ...options } = config;
      return new SimulatedBackend({
        options: stateFile === undefined ? options : { ...options, stateFile },
        owner,
        logger,
      });
    }
  }
}
