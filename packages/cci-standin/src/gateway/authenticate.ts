import type { Identity } from '../accounts.ts';
import type { AccessKeys, Verdict } from '../iam/access-keys.ts';
import type { Tokens } from '../iam/tokens.ts';
import { apiRefusal, badCredentials } from '../refusal.ts';
import type { SignedRequest } from '../signature.ts';

export interface AuthenticationSources {
  readonly accessKeys: AccessKeys;
  readonly tokens: Tokens;
}

/** By X-Auth-Token, the same token as Bearer (kubectl), or a signature. */
export function authenticate(sources: AuthenticationSources, request: SignedRequest): Verdict {
  const { headers } = request;
  const token = tokenIn(headers);
  if (token !== undefined) {
    const identity = sources.tokens.identityOf(token);
    return identity === undefined ? { refusal: badCredentials('decrypt token fail') } : { identity };
  }
  if (headers['authorization'] === undefined) return { refusal: badCredentials('x-auth-token not found') };
  const verdict = sources.accessKeys.authenticate(request);
  return 'identity' in verdict ? forProject(verdict.identity, headers['x-project-id']) : verdict;
}

function tokenIn(headers: SignedRequest['headers']): string | undefined {
  const given = headers['x-auth-token'];
  if (typeof given === 'string') return given;
  return /^Bearer (.+)$/.exec(String(headers['authorization'] ?? ''))?.[1];
}

function forProject(identity: Identity, projectId: string | readonly string[] | undefined): Verdict {
  if (projectId === undefined || projectId === identity.project.id) return { identity };
  return {
    refusal: apiRefusal(403, 'Forbidden', `project ${String(projectId)} is not yours`, 'CCI.01.403104'),
  };
}
