import type { ServerResponse } from 'node:http';
import { BackendError, type BackendErrorKind } from '../backends/backend.ts';
import { sentences } from '../podspec/words.ts';

/** An answer other than success. The message is shown to whoever asked, often by kubectl. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, options: ErrorOptions & { retryAfterSeconds?: number } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.status = status;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

const statusOfKind: Readonly<Record<BackendErrorKind, number>> = {
  notFound: 404,
  invalid: 400,
  conflict: 409,
  quota: 503,
  soldOut: 503,
  blocked: 503,
  unauthorized: 503,
  throttled: 429,
  unavailable: 503,
  internal: 500,
};

/** What to answer when `doing` failed. Only messages that were written for people get out. */
export function problemOf(error: unknown, doing: string): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof BackendError) {
    const { kind, retryAfterMs } = error;
    const retryAfterSeconds = retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) };
    return new Problem(statusOfKind[kind], `${doing}: ${sentences(error.message, error.remedy)}`, {
      cause: error,
      ...retryAfterSeconds,
    });
  }
  return new Problem(500, `${doing}: internal error, see the log of spillway`, { cause: error });
}

/** Answers with the problem's sentence as plain text, as the kubelet does; kubectl shows it. */
export function answerProblem(response: ServerResponse, problem: Problem): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(problem.status, { ...problemHeaders(problem), 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${problem.message}\n`);
}

export function problemHeaders({ status, retryAfterSeconds }: Problem): Record<string, string> {
  return {
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
    ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
  };
}
