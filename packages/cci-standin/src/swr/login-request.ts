import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer, refuse } from '../gateway/answer.ts';
import { authenticate, type AuthenticationSources } from '../gateway/authenticate.ts';
import { readBody } from '../gateway/body.ts';
import { basic, type Logins } from './logins.ts';

export interface LoginRequestOptions {
  readonly sources: AuthenticationSources;
  readonly logins: Logins;
  /** Name of the registry's host. */
  readonly host: string;
}

/** The part of SWR's API that gives temporary logins: POST /v2/manage/utils/secret?projectname=… */
export async function serveLoginRequest(
  { sources, logins, host }: LoginRequestOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/', headers } = request;
  const { pathname, searchParams } = new URL(url, 'https://swr-api');
  const body = await readBody(request);
  if (method !== 'POST' || pathname !== '/v2/manage/utils/secret' || body === undefined) {
    answer(response, 404, {
      error_code: 'APIGW.0101',
      error_msg: 'The API does not exist or has not been published.',
    });
    return;
  }
  const verdict = authenticate(sources, { method, target: url, headers, body });
  if ('refusal' in verdict) {
    refuse(response, verdict.refusal);
    return;
  }
  const { identity } = verdict;
  if (searchParams.get('projectname') !== identity.project.name) {
    answer(response, 403, { errors: [{ code: 'DENIED', message: 'you do not have the permission' }] });
    return;
  }
  const login = logins.issue(identity);
  response.setHeader('X-Swr-Dockerlogin', `docker login -u ${login.username} -p ${login.password} ${host}`);
  response.setHeader('X-Swr-Expireat', new Date(login.expiresAt).toISOString());
  answer(response, 200, { auths: { [host]: { auth: basic(login) } } });
}
