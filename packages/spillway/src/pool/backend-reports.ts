import { errorMessage, type Logger } from '@spillway/kube';
import type { EndedInSilence, Notice, PreparationState, UsageState } from '../backends/backend.ts';
import type { BackendHealthState, HeartbeatState } from '../node/node-object.ts';
import type { Blockade } from './blockade.ts';
import type { PoolMetrics } from './pool-metrics.ts';

export interface BackendReportsOptions {
  readonly logger: Logger;
  readonly metrics: Pick<PoolMetrics, 'backendReachable' | 'blocked'>;
  /** Something that people should see on the virtual node. */
  readonly recordOnNode: (notice: Notice) => void;
}

/** What people are told of how the backend is. */
export class BackendReports {
  readonly #options: BackendReportsOptions;

  constructor(options: BackendReportsOptions) {
    this.#options = options;
  }

  health(state: BackendHealthState, before: BackendHealthState): void {
    const { logger, metrics } = this.#options;
    metrics.backendReachable(state.kind !== 'unreachable');
    if (state.kind === 'unreachable') {
      logger.error({}, `the backend is not reachable: ${state.message}; the node stays Ready and accepts no new pods`);
    } else if (before.kind === 'unreachable') logger.info({}, 'the backend is reachable again');
  }

  blockade(blocked: Blockade['blocked']): void {
    const { logger, metrics, recordOnNode } = this.#options;
    metrics.blocked(blocked !== undefined);
    if (blocked) {
      logger.warn({ reason: blocked.reason }, `the pool accepts no new pods: ${blocked.message}`);
      recordOnNode({ severity: 'Warning', ...blocked });
    } else logger.info({}, 'the pool accepts new pods again');
  }

  usage(state: UsageState, before: UsageState): void {
    const { logger } = this.#options;
    if (state.kind === 'unmeasured') {
      logger.warn(
        { reason: state.reason },
        `the backend does not report what pods use, so kubectl top and autoscalers do not see them: ${state.message}`,
      );
    } else if (before.kind === 'unmeasured') logger.info({}, 'the backend reports what pods use again');
  }

  heartbeat(state: HeartbeatState): void {
    const { logger, recordOnNode } = this.#options;
    if (state.kind === 'late') {
      logger.error({}, `${state.message}; trying again`);
      recordOnNode({ severity: 'Warning', reason: 'HeartbeatLate', message: state.message });
    } else logger.info({}, 'the heartbeat is renewed');
  }

  heartbeatFailed(error: unknown): void {
    this.#options.logger.warn({}, `cannot renew the heartbeat: ${errorMessage(error)}; trying again`);
  }

  endedInSilence({ at, silentSince, instances }: EndedInSilence): void {
    const { logger, recordOnNode } = this.#options;
    const message = `the dead-man switch has ended ${instances} instances at ${at}, because there was no heartbeat since ${silentSince}; their pods become Failed (InstanceLost)`;
    logger.warn({ instances, silentSince, at }, message);
    recordOnNode({ severity: 'Warning', reason: 'EndedInSilence', message });
  }

  notPrepared(error: unknown, retryInMs: number): void {
    this.#options.logger.error(
      { retryInSeconds: Math.round(retryInMs / 1000) },
      `cannot prepare the backend: ${errorMessage(error)}`,
    );
  }

  preparation(state: PreparationState, severity: Notice['severity'], before: PreparationState): void {
    const { logger, recordOnNode } = this.#options;
    if (state.kind === 'unprepared') {
      logger.info({ reason: state.reason }, `the backend is not prepared: ${state.message}`);
      recordOnNode({ severity, reason: state.reason, message: state.message });
    } else if (before.kind === 'unprepared') {
      recordOnNode({ severity, reason: 'BackendPrepared', message: 'everything that pods need is in place' });
    }
  }
}
