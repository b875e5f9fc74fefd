import {
  ApiError,
  isConflict,
  isNotFound,
  type KubeClient,
  type Pod,
  pods,
  TransportError,
  uidOf,
} from '@spillway/kube';
import { type Backend, BackendError, type InstanceRef, type Notice, type Workload } from '../backends/backend.ts';
import { type MissingReference, resolveWorkload, type WorkloadFacts } from '../podspec/resolve.ts';
import type { Operation, Outcome, PodState, Problem } from './pod-state.ts';
import { fetchReferences, type ReferenceReader } from './references.ts';

export interface OperationsOptions {
  readonly backend: Pick<Backend, 'create' | 'stop' | 'remove'>;
  readonly nodeName: string;
  /** Client of the node agent. */
  readonly client: Pick<KubeClient, 'resource'>;
  readonly references: ReferenceReader;
  readonly facts: () => WorkloadFacts;
  /** Resolves when the backend is prepared. */
  readonly prepared: (signal: AbortSignal) => Promise<void>;
  readonly record: (ref: InstanceRef, notice: Notice) => void;
  /** An error that nobody foresaw. */
  readonly onDefect: (error: unknown) => void;
}

const ok: Outcome = { ok: true };

/** The operations that {@link decide} asks for, on the real backend and API server. Each never rejects. */
export class Operations {
  readonly #options: OperationsOptions;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  async perform(operation: Operation, state: PodState, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#perform(operation, state, signal);
    } catch (error) {
      if (!signal.aborted && !isExpected(error)) this.#options.onDefect(error);
      return { ok: false, problem: problemOf(error) };
    }
  }

  async #perform(operation: Operation, { ref, pod }: PodState, signal: AbortSignal): Promise<Outcome> {
    const { backend } = this.#options;
    switch (operation.kind) {
      case 'create':
        return pod === undefined ? ok : this.#create(ref, pod, signal);
      case 'stop':
        await backend.stop(ref, { graceSeconds: operation.graceSeconds }, signal);
        return ok;
      case 'remove':
        await backend.remove(ref, signal);
        return ok;
      case 'confirmGone':
        return (await this.exists(ref, signal))
          ? { ok: false, problem: { kind: 'stillThere', message: 'the API server still has the pod' } }
          : ok;
      default:
        await this.#deletePod(ref, signal);
        return ok;
    }
  }

  /**
   * A read from the API server's store, not from a cache, compared by UID. As a list, because a node may not read a
   * pod that is not (or no longer) bound to it; this answers "none" instead.
   */
  async exists({ namespace, name, uid }: InstanceRef, signal: AbortSignal): Promise<boolean> {
    const fieldSelector = `spec.nodeName=${this.#options.nodeName},metadata.name=${name}`;
    const { items } = await this.#options.client.resource(pods).list({ namespace, fieldSelector, signal });
    return items.some((pod) => uidOf(pod) === uid);
  }

  async #create(ref: InstanceRef, pod: Pod, signal: AbortSignal): Promise<Outcome> {
    const { backend, references, record } = this.#options;
    const sources = await fetchReferences(pod, references, signal);
    const resolution = resolveWorkload(pod, sources, this.#options.facts());
    if (!resolution.ok) return { ok: false, problem: missingProblem(resolution.missing) };
    for (const notice of resolution.notices) record(ref, notice);
    await this.#options.prepared(signal);
    const workload: Workload = { ref, pod, ...resolution.workload };
    await backend.create(workload, signal);
    return ok;
  }

  /** Not found, or another UID: it is not our pod any more, which is what was wanted. */
  async #deletePod({ namespace, name, uid }: InstanceRef, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.client
        .resource(pods)
        .delete({ namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid }, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

function missingProblem(missing: readonly MissingReference[]): Problem {
  const first = missing.find(({ waiting }) => waiting.reason === 'CreateContainerConfigError') ?? missing[0];
  return {
    kind: 'missingReference',
    message: first?.waiting.message ?? first?.event.message ?? 'something that the pod refers to is missing',
    reason: first?.waiting.reason,
    notices: missing.flatMap(({ event, also }) => (also === undefined ? [event] : [event, also])),
  };
}

function isExpected(error: unknown): boolean {
  return error instanceof BackendError || error instanceof ApiError || error instanceof TransportError;
}

function problemOf(error: unknown): Problem {
  if (error instanceof BackendError) {
    const { kind, message, retryAfterMs, remedy, reason } = error;
    return { kind, message, retryAfterMs, remedy, reason };
  }
  if (error instanceof ApiError) return { kind: 'api', message: error.message, retryAfterMs: error.retryAfterMs };
  if (error instanceof TransportError) return { kind: 'api', message: error.message };
  return { kind: 'internal', message: error instanceof Error ? error.message : String(error) };
}
