import type { RegistryCredential } from '../../../podspec/images.ts';
import { BackendError } from '../../backend.ts';
import { type HttpsAnswer, httpsCall } from '../https-call.ts';
import type { RegistryView } from './view.ts';

/** A person waits. */
const patienceMs = 5_000;

/** Whether a registry accepts a login, asked as a container runtime asks. `endpoint`: where it is; `ca`: PEM. */
export async function checkRegistry(
  { registry: host, username, password }: RegistryCredential,
  { endpoint = `https://${host}`, ca }: { readonly endpoint?: string; readonly ca?: string },
  signal: AbortSignal,
): Promise<RegistryView> {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const get = (url: string): Promise<HttpsAnswer> =>
    httpsCall({ method: 'GET', url, headers: { authorization }, body: null, ca }, patience);
  try {
    let answer = await get(`${endpoint}/v2/`);
    const tokens = tokensOf(answer.headers['www-authenticate']);
    if (answer.status === 401 && tokens !== undefined) answer = await get(tokens);
    if (answer.status < 400) return { kind: 'accepted', host, why: '' };
    const kind = answer.status === 401 || answer.status === 403 ? 'refused' : 'unreachable';
    return { kind, host, why: `status ${answer.status}` };
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof BackendError ? error.message : String(error);
    return { kind: 'unreachable', host, why };
  }
}

/** Where a registry sends its clients for a token; undefined when it checks the login itself. */
function tokensOf(challenge = ''): string | undefined {
  const realm = /^Bearer .*realm="(https:\/\/[^"]+)"/i.exec(challenge)?.[1];
  if (realm === undefined) return undefined;
  const url = new URL(realm);
  const service = /service="([^"]+)"/i.exec(challenge)?.[1];
  if (service !== undefined) url.searchParams.set('service', service);
  return url.href;
}
