import { errorMessage } from '@spillway/kube';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { BackendError } from '../backend.ts';
import { parseJson } from '../trusted.ts';

export interface HttpsRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** PEM; without it the system's authorities are trusted */
  readonly ca?: string | undefined;
}

export interface HttpsAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed; undefined when it is not JSON */
  readonly body: unknown;
}

const longestAnswer = 4 * 1024 * 1024;
const timeoutMs = 15_000;

/** One call to a service beside the API, such as IAM. Every answer is a success here. @throws BackendError "unavailable" */
export async function httpsCall(
  { method, url, headers, body, ca }: HttpsRequest,
  signal: AbortSignal,
): Promise<HttpsAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpsAnswer>();
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const call = request(
    url,
    // No agent: calls are rare, and a connection that was kept may be dead.
    {
      method,
      headers: { accept: 'application/json', ...headers, ...length },
      agent: false,
      signal: deadline,
      ...(ca !== undefined && { ca }),
    },
    (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response
        .on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > longestAnswer) call.destroy(new Error('its answer is too long'));
          else chunks.push(chunk);
        })
        .on('error', reject)
        .on('end', () => {
          const { statusCode = 0, headers: answered } = response;
          resolve({ status: statusCode, headers: answered, body: parsed(Buffer.concat(chunks).toString()) });
        });
    },
  );
  call.on('error', reject);
  call.end(body ?? undefined);
  try {
    return await promise;
  } catch (cause) {
    if (signal.aborted) throw new BackendError('unavailable', `${method} ${url} was cancelled`, { cause });
    const why = deadline.aborted ? `no answer within ${timeoutMs / 1000} s` : errorMessage(cause);
    throw new BackendError('unavailable', `cannot reach ${new URL(url).origin}: ${why}`, {
      cause,
      remedy: 'Check the endpoint, its DNS name, the route out of this network, and the certificate authority (ca)',
    });
  }
}

/** The server's time. */
export function dateOf({ headers }: Pick<HttpsAnswer, 'headers'>): number | undefined {
  const date = Date.parse(headers.date ?? '');
  return Number.isNaN(date) ? undefined : date;
}

function parsed(text: string): unknown {
  try {
    return parseJson<unknown>(text);
  } catch {
    return undefined;
  }
}
