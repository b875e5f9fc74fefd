import { type ServiceError, status } from '@grpc/grpc-js';
import { BackendError, type BackendErrorKind } from '../../backend.ts';

const kinds: Partial<Record<number, BackendErrorKind>> = {
  [status.UNAVAILABLE]: 'unavailable',
  [status.DEADLINE_EXCEEDED]: 'unavailable',
  [status.CANCELLED]: 'unavailable',
  [status.NOT_FOUND]: 'notFound',
  [status.ALREADY_EXISTS]: 'conflict',
  [status.RESOURCE_EXHAUSTED]: 'throttled',
  [status.UNAUTHENTICATED]: 'unauthorized',
  [status.PERMISSION_DENIED]: 'unauthorized',
};

/** What containerd answers while it starts. */
const starting = /server is not initialized yet/;

export function runtimeError(method: string, socket: string, error: ServiceError): BackendError {
  const kind = starting.test(error.details) ? 'unavailable' : (kinds[error.code] ?? 'internal');
  if (error.code === status.UNAVAILABLE) {
    return new BackendError(kind, `container runtime at ${socket} cannot be reached: ${reasonOf(error)}`, {
      cause: error,
      remedy: `Check that containerd runs and that its socket is ${socket}`,
    });
  }
  if (error.code === status.DEADLINE_EXCEEDED) {
    return new BackendError(kind, `container runtime at ${socket} did not answer ${method} in time`, { cause: error });
  }
  return new BackendError(kind, error.details || error.message, { cause: error });
}

/** True for a method that this version of the runtime does not have. */
export function isUnimplemented(error: unknown): boolean {
  const cause = error instanceof BackendError ? error.cause : error;
  return typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === status.UNIMPLEMENTED;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof BackendError && error.kind === 'notFound';
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof BackendError && error.kind === 'unavailable';
}

function reasonOf({ details }: ServiceError): string {
  const missing = /ENOENT/.test(details);
  const refused = /ECONNREFUSED/.test(details);
  if (missing) return 'the socket does not exist';
  return refused ? 'nothing listens on the socket' : details;
}
