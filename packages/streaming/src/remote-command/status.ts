/** How a remote command ended: with an exit code, or not at all because something else went wrong. */
export type RemoteResult =
  | { readonly exitCode: number }
  /** `reason` is a metav1.Status reason; default `InternalError`. */
  | { readonly error: string; readonly reason?: string };

/** The part of metav1.Status that travels on the error stream. */
interface Status {
  readonly metadata?: object;
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
  readonly code?: number;
}

/** Each API server on the way puts it in front of what it hands on. */
const wrapping = /^(Internal error occurred: )+/;

const exitCodeCause = 'ExitCode';
const nonZeroExitCode = 'NonZeroExitCode';

/** As the kubelet and the container runtimes write it from protocol v4 on. */
export function formatStatus(result: RemoteResult): string {
  return JSON.stringify(toStatus(result));
}

/** Before v4 the error stream carried a sentence, and nothing on success. */
export function formatLegacyStatus(result: RemoteResult): string {
  return toStatus(result).message ?? '';
}

/** @returns an error result as well when the text cannot be understood */
export function parseStatus(text: string): RemoteResult {
  const status = parseJson(text);
  if (status === undefined)
    return { error: `the error stream says ${JSON.stringify(text.slice(0, 1000))}, which is not a status` };
  if (status.status === 'Success') return { exitCode: 0 };
  if (status.reason === nonZeroExitCode) {
    const code = Number(status.details?.causes?.find((cause) => cause.reason === exitCodeCause)?.message ?? Number.NaN);
    if (Number.isInteger(code)) return { exitCode: code };
  }
  const error = (status.message ?? 'the command failed without a message').replace(wrapping, '');
  return status.reason === undefined ? { error } : { error, reason: status.reason };
}

function toStatus(result: RemoteResult): Status {
  if ('error' in result) {
    const { error, reason = 'InternalError' } = result;
    return { metadata: {}, status: 'Failure', message: error, reason, code: 500 };
  }
  if (result.exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${result.exitCode}`,
    reason: nonZeroExitCode,
    details: { causes: [{ reason: exitCodeCause, message: String(result.exitCode) }] },
  };
}

function parseJson(text: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
