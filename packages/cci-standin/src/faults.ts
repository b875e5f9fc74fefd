import { randomUUID } from 'node:crypto';
import { at, textAt } from './json.ts';

/**
 * What goes wrong with a call:
 * - `latency`: it waits first
 * - `answer`: it is answered with this status (429, 5xx) and not done
 * - `lostAnswer`: it is done, and the connection breaks before the answer
 * - `halfCreated`: it is done, and answered with 500
 * - `soldOut`: pods are made, and stay Pending for ever
 */
export type FaultKind =
  | { readonly kind: 'latency'; readonly ms: number }
  | { readonly kind: 'answer'; readonly status: number }
  | { readonly kind: 'lostAnswer' }
  | { readonly kind: 'halfCreated' }
  | { readonly kind: 'soldOut' };

/** Calls that it is about; whatever is left out matches all. */
export interface FaultMatch {
  readonly method?: string;
  /** Regular expression on the path */
  readonly path?: string;
}

export type FaultRequest = FaultKind &
  FaultMatch & {
    /** How many calls it spoils; default: all until it is removed */
    readonly times?: number;
    /** Strikes one of so many of these calls, in no rhythm. Default: 1, each of them */
    readonly every?: number;
  };

export type Fault = FaultRequest & { readonly id: string };

export class Faults {
  #faults: readonly Fault[] = [];
  /** Calls that met a fault, by its id. */
  readonly #meetings = new Map<string, number>();

  list(): readonly Fault[] {
    return this.#faults;
  }

  add(request: FaultRequest): Fault {
    const fault = { ...request, id: randomUUID() };
    this.#faults = [...this.#faults, fault];
    return fault;
  }

  remove(id: string): void {
    this.#faults = this.#faults.filter((fault) => fault.id !== id);
  }

  clear(): void {
    this.#faults = [];
  }

  /** The faults that meet this call; one of each kind. Those that are used up are gone afterwards. */
  take(method: string, pathname: string): ReadonlyMap<FaultKind['kind'], Fault> {
    const met = new Map<FaultKind['kind'], Fault>();
    for (const fault of this.#faults) {
      if (!met.has(fault.kind) && meets(fault, method, pathname) && this.#isItsTurn(fault)) met.set(fault.kind, fault);
    }
    this.#faults = this.#faults.flatMap((fault) => (met.get(fault.kind) === fault ? used(fault) : [fault]));
    return met;
  }

  #isItsTurn({ id, every = 1 }: Fault): boolean {
    const meetings = this.#meetings.get(id) ?? 0;
    this.#meetings.set(id, meetings + 1);
    return meetings % every === turnOf(Math.floor(meetings / every), every);
  }
}

/** Which of so many calls is struck: in no rhythm, which could be that of a caller whose same step would then fail each time. */
function turnOf(round: number, every: number): number {
  return Math.floor((((round + 1) * goldenRatio) % 1) * every);
}

const goldenRatio = (Math.sqrt(5) - 1) / 2;

function meets({ kind, method, path }: Fault, calledMethod: string, pathname: string): boolean {
  if (kind === 'soldOut' && !(calledMethod === 'POST' && pathname.endsWith('/pods'))) return false;
  return (method === undefined || method === calledMethod) && (path === undefined || new RegExp(path).test(pathname));
}

function used(fault: Fault): Fault[] {
  if (fault.times === undefined) return [fault];
  return fault.times <= 1 ? [] : [{ ...fault, times: fault.times - 1 }];
}

/** Undefined for what describes no fault. */
export function readFault(body: unknown): FaultRequest | undefined {
  const kind = readKind(body);
  if (kind === undefined || !isPattern(textAt(body, 'path') ?? '')) return undefined;
  const [method, path] = [textAt(body, 'method'), textAt(body, 'path')];
  const [times, every] = [at(body, 'times'), at(body, 'every')];
  return {
    ...kind,
    ...(method === undefined ? {} : { method }),
    ...(path === undefined ? {} : { path }),
    ...(typeof times === 'number' ? { times } : {}),
    ...(typeof every === 'number' ? { every } : {}),
  };
}

function readKind(body: unknown): FaultKind | undefined {
  const kind = textAt(body, 'kind');
  const [ms, status] = [at(body, 'ms'), at(body, 'status')];
  if (kind === 'latency') return typeof ms === 'number' ? { kind, ms } : undefined;
  if (kind === 'answer')
    return typeof status === 'number' && status >= 400 && status < 600 ? { kind, status } : undefined;
  return kind === 'lostAnswer' || kind === 'halfCreated' || kind === 'soldOut' ? { kind } : undefined;
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}
