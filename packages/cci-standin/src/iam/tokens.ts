import { randomBytes } from 'node:crypto';
import type { Clock } from '@spillway/kube';
import { agencyUserName, type Account, type Identity, type Named } from '../accounts.ts';
import { iamRefusal, type Refusal } from '../refusal.ts';
import { readTokenRequest, type Scope, type TokenRequest } from './token-request.ts';

export interface TokenIssued {
  readonly token: string;
  readonly issuedAt: number;
  readonly identity: Identity & { readonly expiresAt: number };
}

const lifeMs = 24 * 3_600_000;

/** Tokens of one project for 24 hours. */
export class Tokens {
  readonly #accounts: readonly Account[];
  readonly #clock: Clock;
  readonly #issued = new Map<string, TokenIssued>();

  constructor(accounts: readonly Account[], clock: Clock) {
    this.#accounts = accounts;
    this.#clock = clock;
  }

  /** Undefined for one that is unknown, expired or revoked. */
  identityOf(token: string): TokenIssued['identity'] | undefined {
    const issued = this.#issued.get(token);
    return issued !== undefined && issued.identity.expiresAt > this.#clock.now() ? issued.identity : undefined;
  }

  revokeAll(): void {
    this.#issued.clear();
  }

  /** @param caller who presented a token with the request; needed to take on an agency */
  issue(body: unknown, caller: Identity | undefined): TokenIssued | Refusal {
    const request = readTokenRequest(body);
    if (request === undefined) return iamRefusal(400, 'Bad Request', 'Request body is invalid.');
    const found = request.method === 'password' ? this.#byPassword(request) : this.#byAgency(request, caller);
    if ('from' in found) return found;
    const { account, user } = found;
    if (!covers(request.scope, account.project)) {
      return iamRefusal(401, 'Unauthorized', 'The request you have made requires authentication.');
    }
    const issuedAt = this.#clock.now();
    const issued: TokenIssued = {
      token: `MII${randomBytes(96).toString('base64')}`,
      issuedAt,
      identity: { domain: account.domain, project: account.project, user, expiresAt: issuedAt + lifeMs },
    };
    this.#issued.set(issued.token, issued);
    return issued;
  }

  #byPassword(request: TokenRequest & { method: 'password' }): { account: Account; user: Named } | Refusal {
    const account = this.#accounts.find(({ domain }) => isCalled(domain, request.domain));
    const user = account?.users.find((each) => isCalled(each, request.user));
    if (account === undefined || user === undefined || user.password !== request.password) {
      return iamRefusal(401, 'Unauthorized', 'The username or password is wrong.');
    }
    return { account, user: { id: user.id, name: user.name } };
  }

  #byAgency(
    request: TokenRequest & { method: 'assume_role' },
    caller: Identity | undefined,
  ): { account: Account; user: Named } | Refusal {
    if (caller === undefined) {
      return iamRefusal(401, 'Unauthorized', 'The request you have made requires authentication.');
    }
    const account = this.#accounts.find(({ domain }) => isCalled(domain, request.domain));
    const agency = account?.agencies.find(
      ({ name, trustedDomain }) => name === request.agency && isCalled(caller.domain, trustedDomain),
    );
    if (account === undefined || agency === undefined) {
      return iamRefusal(403, 'Forbidden', 'You are not authorized to perform the requested action.');
    }
    return { account, user: { id: caller.user.id, name: agencyUserName(agency) } };
  }
}

function isCalled(named: Named, nameOrId: string): boolean {
  return named.name === nameOrId || named.id === nameOrId;
}

function covers({ id, name }: Scope, project: Named): boolean {
  if (id === undefined && name === undefined) return false;
  return (id === undefined || id === project.id) && (name === undefined || name === project.name);
}
