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
    return { verdict: verdictOf(answer), date: dateOf(answer), ...explained(answer) };
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

function explained({ status, body }: HttpsAnswer): Pick<ProbeAnswer, 'says' | 'body'> {
  if (typeof body !== 'object' || body === null) return { says: `status ${status}` };
  const said: unknown = 'error_msg' in body ? body.error_msg : 'message' in body ? body.message : undefined;
  const code = 'error_code' in body && typeof body.error_code === 'string' ? ` (${body.error_code})` : '';
  const text = typeof said === 'string' ? said.slice(0, 200) : `status ${status}`;
  return { says: `${text}${code}`, body: { ...body } };
}
