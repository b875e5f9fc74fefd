import type { Logger } from '@spillway/kube';
import type { Operations } from './operations.ts';
import { operationWords, podFields } from './log.ts';
import type { Operation, Outcome, PodState, Problem } from './core/pod-state.ts';
import { blocksPool } from './core/problems.ts';

/** Whether everything is there that instances need. */
export interface Preparation {
  /** Resolves when the backend is prepared. @throws when `signal` is aborted before */
  ready(signal: AbortSignal): Promise<void>;
  /** Why nothing can be created yet; undefined: it is prepared. */
  readonly obstacle: Problem | undefined;
  /** What was prepared may be gone: it is done again before the next create. */
  invalidate(): void;
}

/** Whether the pool takes new pods. */
export interface Blockade {
  /** The backend has no room for more, or does not want us. */
  refused(kind: 'quota' | 'soldOut' | 'blocked', message: string): void;
  /** It has a place for a pod. */
  accepted(): void;
}

/** For metrics. */
export interface OperationMetrics {
  operationStarted(kind: Operation['kind']): void;
  operationEnded(kind: Operation['kind'], result: string, seconds: number): void;
  orphanRemoved(): void;
}

export interface PerformerOptions {
  readonly operations: Pick<Operations, 'perform'>;
  readonly metrics: OperationMetrics;
  readonly blockade: Pick<Blockade, 'refused'>;
  readonly preparation: Pick<Preparation, 'invalidate'>;
  readonly logger: Logger;
  /** Ends what is under way and was not done in time. */
  readonly abandoned: AbortSignal;
}

/** Performs operations of pods, and tells the rest of the pool what came of them. */
export class Performer {
  readonly #options: PerformerOptions;

  constructor(options: PerformerOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async perform(operation: Operation, state: PodState): Promise<Outcome> {
    const { metrics, operations, abandoned } = this.#options;
    const { kind } = operation;
    const startedMs = performance.now();
    metrics.operationStarted(kind);
    const outcome = await operations.perform(operation, state, abandoned);
    const result = outcome.ok ? 'ok' : outcome.problem.kind;
    metrics.operationEnded(kind, result, (performance.now() - startedMs) / 1000);
    if (!abandoned.aborted) this.#tell(operation, state, outcome);
    return outcome;
  }

  #tell({ kind }: Operation, state: PodState, outcome: Outcome): void {
    const { metrics, blockade, preparation, logger } = this.#options;
    const fields = { operation: kind, ...podFields(state.ref) };
    if (outcome.ok) {
      logger.debug(fields, 'done');
      if (kind === 'remove' && state.pod === undefined) metrics.orphanRemoved();
      return;
    }
    const { problem } = outcome;
    logger.warn(
      { ...fields, problem: problem.kind, reason: problem.message },
      `could not ${operationWords[kind]}; will try again`,
    );
    if (kind !== 'create' && kind !== 'withdraw') return;
    if (blocksPool(problem.kind)) blockade.refused(problem.kind, problem.message);
    if (problem.kind === 'notFound') preparation.invalidate();
  }
}
