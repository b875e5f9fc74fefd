import type { Clock } from '@spillway/kube';
import { type Backend, BackendError, type Instance, type UsageState } from '../backends/backend.ts';
import { figuresAfter, noFigures, type NodeFigures, type Starts } from './figures.ts';
import { runningContainers } from './running.ts';

export interface UsageSamplerOptions {
  readonly backend: Pick<Backend, 'usage'>;
  /** What runs on the node now. */
  readonly instances: () => Iterable<Instance>;
  /** The backend is not asked again before. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly onChange: (state: UsageState, before: UsageState) => void;
  readonly observer: UsageObserver;
}

/** For metrics. */
export interface UsageObserver {
  /** `result` is `ok` or the kind of the error; `pods`: of how many something is known now. */
  readonly usageAsked: (result: string, seconds: number, pods: number) => void;
}

/** For who wants figures. */
export type UsageSource = Pick<UsageSampler, 'figures' | 'startedAtMs'>;

/** Less than the ten seconds after which metrics-server gives up a scrape. */
const timeoutMs = 8000;
/** Figures that could not be renewed are told for so long. */
const leastKeptMs = 60_000;
const longestPauseMs = 60_000;
/** So that it is known how the backend is also while nobody wants figures. */
const unaskedMs = 300_000;

/**
 * What a virtual node uses. The backend is asked when somebody wants to know and what is known is older than the interval, once
 * for all who wait.
 */
export class UsageSampler {
  /** Since when it counts, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly #options: UsageSamplerOptions;
  readonly #stopping = new AbortController();
  #state: UsageState = { kind: 'unknown' };
  #figures: NodeFigures = noFigures;
  #knownUntilMs = Number.NEGATIVE_INFINITY;
  #nextMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(options: UsageSamplerOptions) {
    this.#options = options;
    this.startedAtMs = options.clock.now();
  }

  get state(): UsageState {
    return this.#state;
  }

  /** Undefined: there are none. */
  async figures(): Promise<NodeFigures | undefined> {
    const { clock } = this.#options;
    if (clock.now() >= this.#nextMs && !this.#stopping.signal.aborted) this.#asking ??= this.#ask();
    await this.#asking;
    return this.#known;
  }

  /** Resolves when `signal` is aborted and nobody is asked any more. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#stopping.abort();
    signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted) {
      await this.figures();
      await this.#options.clock.sleep(unaskedMs, signal);
    }
    stop();
  }

  async #ask(): Promise<void> {
    const { backend, clock, intervalMs, observer } = this.#options;
    const askedAtMs = clock.now();
    this.#nextMs = askedAtMs + intervalMs;
    let result = 'ok';
    try {
      const usage = await within(AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(timeoutMs)]), (signal) =>
        backend.usage(signal),
      );
      this.#figures = figuresAfter(this.#figures, usage, this.#starts());
      this.#knownUntilMs = clock.now() + Math.max(leastKeptMs, 3 * intervalMs);
      this.#change({ kind: 'measured' });
    } catch (error) {
      const late = `no answer within ${timeoutMs / 1000} s`;
      const failure = error instanceof BackendError ? error : new BackendError('unavailable', late, { cause: error });
      result = failure.kind;
      this.#failed(failure);
    } finally {
      this.#asking = undefined;
      observer.usageAsked(result, (clock.now() - askedAtMs) / 1000, this.#known?.pods.size ?? 0);
    }
  }

  get #known(): NodeFigures | undefined {
    return this.#options.clock.now() < this.#knownUntilMs ? this.#figures : undefined;
  }

  #starts(): Starts {
    const starts = new Map<string, ReadonlyMap<string, number>>();
    for (const instance of this.#options.instances()) {
      const running = runningContainers(instance).map(({ name, startedAtMs }) => [name, startedAtMs] as const);
      starts.set(instance.ref.uid, new Map(running));
    }
    return (uid) => starts.get(uid);
  }

  /** One failure may be an accident: as long as there are figures they are told. */
  #failed({ reason = 'MetricsUnavailable', message, remedy, retryAfterMs = 0 }: BackendError): void {
    const { clock, intervalMs } = this.#options;
    this.#nextMs = clock.now() + Math.max(intervalMs, Math.min(retryAfterMs, longestPauseMs));
    if (this.#stopping.signal.aborted || this.#known !== undefined) return;
    this.#change({ kind: 'unmeasured', reason, message: remedy === undefined ? message : `${message}. ${remedy}` });
  }

  #change(state: UsageState): void {
    const before = this.#state;
    if (JSON.stringify(state) === JSON.stringify(before)) return;
    this.#state = state;
    this.#options.onChange(state, before);
  }
}

/** Also when the work does not look at its signal, which must not hold anybody up. @throws the signal's reason */
async function within<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return await Promise.race([work(signal), promise]);
}
