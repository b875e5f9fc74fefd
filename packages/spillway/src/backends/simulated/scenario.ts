import { BackendError, type BackendErrorKind } from '../backend.ts';
import type { Duration } from './duration.ts';

/**
 * What goes wrong on a backend, and when, and what its pods use. The same scenario with the same seed and the same calls always goes the same
 * way. Nothing in it: nothing goes wrong.
 */
export interface Scenario {
  /** Default: 1. */
  readonly seed?: number | undefined;
  /** How long answers take. */
  readonly latency?: Partial<Readonly<Record<ScenarioCall | 'all', Duration | undefined>>> | undefined;
  /** From the acceptance of an instance until there is a place for it. Default: 0. */
  readonly placeDelay?: Duration | undefined;
  /** From when an instance has a place until its containers run. Default: the backend's `startDelayMs`. */
  readonly startDelay?: Duration | undefined;
  /** The first one that applies to a call decides. */
  readonly faults?: readonly Fault[] | undefined;
  readonly lists?: ListFaults | undefined;
  readonly watches?: WatchFaults | undefined;
  /** Times at which the backend is away. */
  readonly restarts?: readonly Restart[] | undefined;
  readonly usage?: UsageScenario | undefined;
}

export const scenarioCalls = [
  'prepare',
  'create',
  'update',
  'withdraw',
  'stop',
  'remove',
  'list',
  'ping',
  'logs',
  'exec',
  'attach',
  'portForward',
  'usage',
] as const;
export type ScenarioCall = (typeof scenarioCalls)[number];

export interface Fault {
  readonly on: ScenarioCall | readonly ScenarioCall[];
  /** How the call fails. */
  readonly fails: BackendErrorKind;
  /** Default: 1, always. */
  readonly chance?: number | undefined;
  /** Seconds after the start of the rehearsal between which this happens. Default: always. */
  readonly fromSeconds?: number | undefined;
  readonly toSeconds?: number | undefined;
  /** How many calls fail for each pod. Default: no limit. */
  readonly timesPerPod?: number | undefined;
  /** Only pods with a name like this, `*` standing for anything. Default: all. */
  readonly pods?: string | undefined;
  /**
   * What was done although the answer is an error: `none`; `done`: everything, only the answer is lost; `half` (of a
   * create): an instance that is listed, and never starts until it is created again. Default: none.
   */
  readonly effect?: 'none' | 'half' | 'done' | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly message?: string | undefined;
}

export interface ListFaults {
  /** How often a listing lacks some instances, and says so. */
  readonly incompleteChance?: number | undefined;
  /** How long a new instance is missing in listings, and a removed one still listed. */
  readonly lag?: Duration | undefined;
}

export interface WatchFaults {
  /** How often a watch breaks instead of telling its next event. */
  readonly dropChance?: number | undefined;
  /** How often an event is lost without a sign. */
  readonly loseChance?: number | undefined;
  /** Later than the backend knows. */
  readonly lag?: Duration | undefined;
}

export interface UsageScenario {
  /** Between two measurements. Default: 15. */
  readonly everySeconds?: number | undefined;
  /** The first one that a container is like counts. Others use half of what they request, or a little. */
  readonly containers?: readonly ContainerLoad[] | undefined;
}

/** Quantities of Kubernetes. */
export interface ContainerLoad {
  /** Names of pods, `*` standing for anything. Default: all. */
  readonly pods?: string | undefined;
  /** Names of containers, `*` standing for anything. Default: all. */
  readonly containers?: string | undefined;
  /** Default: half of what the container requests. */
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
  /** How much more of it each minute, up to the container's limit. Default: 0. */
  readonly cpuPerMinute?: string | undefined;
  readonly memoryPerMinute?: string | undefined;
}

export interface Restart {
  readonly atSeconds: number;
  readonly downSeconds: number;
  /** It comes again after this time. Default: once. */
  readonly everySeconds?: number | undefined;
}

/** Is the backend away, so many seconds after the start of the rehearsal? */
export function isDown(restarts: readonly Restart[], seconds: number): boolean {
  return restarts.some(({ atSeconds, downSeconds, everySeconds }) => {
    const since = seconds - atSeconds;
    return since >= 0 && (everySeconds === undefined ? since : since % everySeconds) < downSeconds;
  });
}

const defaultMessages: Readonly<Record<BackendErrorKind, string>> = {
  notFound: 'what the call needs is not there',
  invalid: 'the pod cannot run here',
  conflict: 'something else is going on with this instance',
  quota: 'the quota is used up',
  soldOut: 'there is no capacity left',
  blocked: 'the account is frozen',
  unauthorized: 'the credentials are refused',
  throttled: 'too many requests',
  unavailable: 'no answer',
  internal: 'internal error',
};

export function errorOf({ fails, message, retryAfterMs }: Fault): BackendError {
  const text = `${message ?? defaultMessages[fails]} (rehearsal)`;
  return new BackendError(fails, text, retryAfterMs === undefined ? {} : { retryAfterMs });
}

/** Which fault a call meets. Remembers how often a pod has met each. */
export class FaultDice {
  readonly #faults: readonly Fault[];
  readonly #random: () => number;
  readonly #counts = new Map<string, number>();

  constructor(faults: readonly Fault[], random: () => number) {
    this.#faults = faults;
    this.#random = random;
  }

  /** @param pod absent: the call is about no single pod */
  roll(call: ScenarioCall, seconds: number, pod?: { readonly uid: string; readonly name: string }): Fault | undefined {
    for (const [index, fault] of this.#faults.entries()) {
      if (!isAbout(fault, call, seconds, pod?.name)) continue;
      const key = `${index}/${call}/${pod?.uid ?? ''}`;
      const count = this.#counts.get(key) ?? 0;
      if (fault.timesPerPod !== undefined && count >= fault.timesPerPod) continue;
      if (fault.chance !== undefined && this.#random() >= fault.chance) continue;
      if (fault.timesPerPod !== undefined) this.#counts.set(key, count + 1);
      return fault;
    }
    return undefined;
  }
}

function isAbout(fault: Fault, call: ScenarioCall, seconds: number, name: string | undefined): boolean {
  const { on, fromSeconds = 0, toSeconds = Number.POSITIVE_INFINITY, pods } = fault;
  if (!(typeof on === 'string' ? on === call : on.includes(call))) return false;
  if (seconds < fromSeconds || seconds >= toSeconds) return false;
  return pods === undefined || (name !== undefined && isLike(name, pods));
}

/** `*` stands for anything. */
export function isLike(name: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return name === pattern;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  const inner = name.slice(first.length, name.length - last.length);
  let from = 0;
  return rest.every((part) => {
    const at = inner.indexOf(part, from);
    from = at + part.length;
    return at >= 0;
  });
}
