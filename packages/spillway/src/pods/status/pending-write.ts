/**
 * How far one pod's newest status has come; nothing is kept for a pod whose newest status is written. Pure: the writer
 * asks when its turn is, sends, and says what came of it.
 */
export type PendingWrite<S> =
  | { readonly kind: 'due'; readonly wanted: S; readonly attempts: number }
  | { readonly kind: 'sent'; readonly sent: S; readonly newer: S | undefined; readonly attempts: number }
  | {
      readonly kind: 'resting';
      readonly wanted: S;
      /** The API server's answer was about this status; undefined: it was about none, so any other would fare the same. */
      readonly refused: S | undefined;
      /** Failed in a row. */
      readonly attempts: number;
      readonly untilMs: number;
    };

export type WriteResult =
  /** It is there, or was there already. */
  | { readonly kind: 'written' }
  /** The pod is gone. */
  | { readonly kind: 'gone' }
  /** The API server does not take this status. Says nothing of the next one. */
  | { readonly kind: 'refused'; readonly untilMs: number }
  /** It did not get there, or the API server takes none now. */
  | { readonly kind: 'failed'; readonly untilMs: number };

/** A newer status is wanted. It takes the place of the one before, and waits only for what is about it, too. */
export function wanted<S>(
  before: PendingWrite<S> | undefined,
  status: S,
  isSame: (a: S, b: S) => boolean,
): PendingWrite<S> {
  switch (before?.kind) {
    case 'sent':
      return { ...before, newer: status };
    case 'due':
      return { ...before, wanted: status };
    case 'resting':
      return before.refused === undefined || isSame(before.refused, status)
        ? { ...before, wanted: status }
        : fresh(status);
    default:
      return fresh(status);
  }
}

/** Its turn has come. Undefined: there is nothing to be sent now. */
export function sent<S>(
  before: PendingWrite<S> | undefined,
  nowMs: number,
): (PendingWrite<S> & { kind: 'sent' }) | undefined {
  if (before === undefined || before.kind === 'sent' || turnAtMs(before, nowMs) > nowMs) return undefined;
  return { kind: 'sent', sent: before.wanted, newer: undefined, attempts: before.attempts };
}

/** What was sent has been answered. Nothing: all is written. */
export function answered<S>(
  { sent: status, newer, attempts }: PendingWrite<S> & { kind: 'sent' },
  result: WriteResult,
  isSame: (a: S, b: S) => boolean,
): PendingWrite<S> | undefined {
  switch (result.kind) {
    case 'written':
      return newer === undefined ? undefined : fresh(newer);
    case 'gone':
      return undefined;
    default: {
      const refused = result.kind === 'refused' ? status : undefined;
      const { untilMs } = result;
      const rest = { kind: 'resting', wanted: status, refused, attempts: attempts + 1, untilMs } as const;
      return newer === undefined ? rest : wanted(rest, newer, isSame);
    }
  }
}

/** When it is to be sent; Infinity: not before what is sent is answered. */
export function turnAtMs<S>(pending: PendingWrite<S>, nowMs: number): number {
  if (pending.kind === 'due') return nowMs;
  return pending.kind === 'resting' ? pending.untilMs : Number.POSITIVE_INFINITY;
}

function fresh<S>(status: S): PendingWrite<S> {
  return { kind: 'due', wanted: status, attempts: 0 };
}
