import { refusesCredential } from '../errors.ts';
import { dateOf, type HttpsAnswer, httpsCall } from '../https-call.ts';
import type { Access, ProbeAnswer } from './access.ts';

export interface ProbeTarget {
  /** "https://cci.cn-north-4.myhuaweicloud.com" */
  readonly endpoint: string;
  /** Something that may be read and is small; whether it exists does not matter */
  readonly path: string;
  readonly ca?: string | undefined;
}

/** Asks once whether the gateway takes what `sign` gives. */
export async function probeOnce(
  { endpoint, path, ca }: ProbeTarget,
  sign: Access['sign'],
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  try {
    const url = new URL(path, endpoint);
    const headers = { host: url.host, accept: 'application/json' };
    const request = { method: 'GET', path: `${url.pathname}${url.search}`, headers, body: null } as const;
    const signed = { ...headers, ...sign(request) };
    const answer = await httpsCall({ method: 'GET', url: url.href, headers: signed, body: null, ca }, signal);
    return { verdict: verdictOf(answer), date: dateOf(answer) };
  } catch {
    return { verdict: 'unreachable' };
  }
}

/** Also "forbidden" and "not found" are said only to those who are known. */
function verdictOf({ status, body }: HttpsAnswer): ProbeAnswer['verdict'] {
  const code = typeof body === 'object' && body !== null && 'errorCode' in body ? body.errorCode : undefined;
  if (status === 401) return refusesCredential(code) ? 'refused' : 'accepted';
  return status === 429 || status >= 500 ? 'unreachable' : 'accepted';
}
