import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../gateway/body.ts';
import { answer, refuse } from '../gateway/answer.ts';
import { parseJson } from '../json.ts';
import { iamRefusal } from '../refusal.ts';
import type { TokenIssued, Tokens } from './tokens.ts';

/** The part of IAM that clients of CCI need: POST /v3/auth/tokens. */
export async function serveIam(tokens: Tokens, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'https://iam');
  if (request.method !== 'POST' || pathname !== '/v3/auth/tokens') {
    refuse(response, iamRefusal(404, 'Not Found', `There is no ${request.method} ${pathname}.`));
    return;
  }
  const body = await readBody(request);
  const presented = request.headers['x-auth-token'];
  const caller = typeof presented === 'string' ? tokens.identityOf(presented) : undefined;
  const issued = tokens.issue(body === undefined ? undefined : parseJson(body), caller);
  if ('from' in issued) {
    refuse(response, issued);
    return;
  }
  response.setHeader('X-Subject-Token', issued.token);
  answer(response, 201, describe(issued));
}

function describe({ issuedAt, identity }: TokenIssued): object {
  const { domain, project, user, expiresAt } = identity;
  return {
    token: {
      expires_at: timestamp(expiresAt),
      issued_at: timestamp(issuedAt),
      methods: ['password'],
      catalog: [],
      roles: [{ id: '0', name: 'te_admin' }],
      project: { ...project, domain },
      user: { ...user, domain, password_expires_at: '' },
    },
  };
}

/** With six digits, as IAM writes it. */
function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
