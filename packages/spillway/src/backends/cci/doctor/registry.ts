import { BackendError } from '../../backend.ts';
import { type HttpsAnswer, httpsCall } from '../https-call.ts';
import { swrLogin } from '../images/swr.ts';
import type { AccessKey } from '../signing.ts';
import type { RegistryView } from './view.ts';

/** A person waits. */
const patienceMs = 5_000;

/** Whether SWR accepts the login that is computed from the access key, asked as a container runtime asks. */
export async function checkRegistry(
  key: AccessKey | undefined,
  { region, project }: { readonly region: string; readonly project?: string | undefined },
  signal: AbortSignal,
): Promise<RegistryView> {
  const login = key && swrLogin(key, { region, ...(project !== undefined && { project }) });
  if (login === undefined) return { kind: 'noLogin' };
  const host = login.registry;
  const authorization = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const get = (url: string): Promise<HttpsAnswer> =>
    httpsCall({ method: 'GET', url, headers: { authorization }, body: null }, patience);
  try {
    let answer = await get(`https://${host}/v2/`);
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
