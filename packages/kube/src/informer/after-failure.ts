import { ApiError, isGone, TransportError } from '../errors.ts';

export interface AfterFailure {
  /** What the server has may not follow from what we know: everything has to be listed again */
  readonly relist: boolean;
  /** The server said how long to wait */
  readonly atLeastMs: number;
  /** The server cannot stream lists: never ask it again */
  readonly withoutStreamedList: boolean;
  /** Counts against streaming the list: something in between may swallow it */
  readonly streamedListFailed: boolean;
}

/** What a reflector does after a failed list or watch. */
export function afterFailure(error: unknown, { streamedList }: { streamedList: boolean }): AfterFailure {
  if (error instanceof TransportError) {
    const streamedListFailed = streamedList && (error.kind === 'timeout' || error.kind === 'protocol');
    // While nobody looked etcd may have been restored from a snapshot. A watch from a version that the server does not
    // have yet is silent, and once versions have caught up nothing shows that their history is another one.
    return { relist: true, atLeastMs: 0, withoutStreamedList: false, streamedListFailed };
  }
  const refused = error instanceof ApiError && error.kind === 'invalid';
  const temporary =
    error instanceof ApiError &&
    (error.kind === 'tooManyRequests' || error.kind === 'serverError') &&
    !isResourceVersionTooLarge(error);
  return {
    // Also after errors of other kinds: listing again is never wrong, only dear.
    relist: isGone(error) || !temporary,
    atLeastMs: error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0,
    withoutStreamedList: streamedList && refused,
    streamedListFailed: false,
  };
}

/** The server's data are older than what we have seen: etcd was restored, or this replica lags behind. */
const isResourceVersionTooLarge = (error: ApiError): boolean =>
  error.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') === true;
