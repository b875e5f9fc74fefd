import { ApiError, isRetryable, KubeconfigError, TransportError, errorMessage } from '@spillway/kube';
import { BackendError, type BackendErrorDetails, type BackendErrorKind } from '../backend.ts';
import type { Dialect } from './dialect.ts';

/** Every failure of the other cluster's API as a backend's error. `doing` completes "could not …". */
export function backendError(
  error: unknown,
  doing: string,
  { name, errorOf }: Pick<Dialect, 'name' | 'errorOf'>,
): BackendError {
  if (error instanceof BackendError) return error;
  const message = `${name}: could not ${doing}: ${errorMessage(error)}`;
  if (error instanceof ApiError) {
    return errorOf(error) ?? new BackendError(kindOf(error), message, { cause: error, ...detailsOf(error) });
  }
  if (error instanceof KubeconfigError) {
    return new BackendError('unavailable', message, { cause: error, remedy: "Correct the pool's backend.kubeconfig." });
  }
  const known = error instanceof TransportError;
  return new BackendError(known ? 'unavailable' : 'internal', message, { cause: error });
}

function kindOf(error: ApiError): BackendErrorKind {
  switch (error.kind) {
    case 'unauthorized':
      return 'unauthorized';
    case 'forbidden':
      return forbiddenKind(error);
    case 'notFound':
      return 'notFound';
    case 'alreadyExists':
    case 'conflict':
      return 'conflict';
    case 'invalid':
      return 'invalid';
    case 'tooManyRequests':
      return 'throttled';
    default:
      return isRetryable(error) || error.kind === 'gone' ? 'unavailable' : 'internal';
  }
}

/** The API server says 403 for four things. */
function forbiddenKind({ message, details }: ApiError): BackendErrorKind {
  if (message.includes('exceeded quota')) return 'quota';
  if (details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating')) return 'unavailable';
  return message.includes('violates PodSecurity') ? 'invalid' : 'unauthorized';
}

function detailsOf({ kind, retryAfterMs }: ApiError): BackendErrorDetails {
  return {
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(kind === 'unauthorized' && { remedy: "Check the credentials in the pool's kubeconfig." }),
  };
}
