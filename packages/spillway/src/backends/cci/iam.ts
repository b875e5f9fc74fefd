import { BackendError } from '../backend.ts';
import type { AgencyLogin, KeyLogin, PasswordLogin } from './credentials/login.ts';
import { describeLogin, withoutSecrets } from './credentials/login.ts';
import { dateOf, type HttpsAnswer, httpsCall } from './https-call.ts';
import { signRequest } from './signing.ts';

export type TokenLogin = PasswordLogin | AgencyLogin;

export interface IamToken {
  readonly token: string;
  /** How long it is valid, by the clock of IAM */
  readonly lifeMs: number;
}

export interface IamOptions {
  /** "https://iam.cn-north-4.myhuaweicloud.com" */
  readonly endpoint: string;
  readonly ca?: string | undefined;
  readonly projectId: string;
}

/** Tokens of the identity service, for one project. */
export class Iam {
  readonly #options: IamOptions;

  constructor(options: IamOptions) {
    this.#options = options;
  }

  /** @param now by the gateway's clock. @throws BackendError */
  async token(login: TokenLogin, now: number, signal: AbortSignal): Promise<IamToken> {
    const scope = { project: { id: this.#options.projectId } };
    if (login.kind === 'password')
      return await this.#ask(login, { auth: { identity: passwordIdentity(login), scope } }, {}, signal);
    const { agencyName, agencyDomainName, by } = login;
    const identity = {
      methods: ['assume_role'],
      assume_role: { agency_name: agencyName, domain_name: agencyDomainName },
    };
    const body = { auth: { identity, scope } };
    if (by.kind === 'accessKey') return await this.#ask(login, body, { key: by, now }, signal);
    const domainScope = { domain: { name: by.domainName } };
    const own = await this.#ask(by, { auth: { identity: passwordIdentity(by), scope: domainScope } }, {}, signal);
    return await this.#ask(login, body, { token: own.token }, signal);
  }

  async #ask(
    login: TokenLogin,
    content: object,
    { token, key, now = 0 }: { token?: string; key?: KeyLogin; now?: number },
    signal: AbortSignal,
  ): Promise<IamToken> {
    const url = new URL('/v3/auth/tokens', this.#options.endpoint);
    const body = JSON.stringify(content);
    const headers: Record<string, string> = {
      host: url.host,
      'content-type': 'application/json',
      ...(token !== undefined && { 'x-auth-token': token }),
    };
    const signature =
      key === undefined
        ? {}
        : signRequest({ method: 'POST', path: url.pathname, headers, body }, key, { date: new Date(now) });
    const answer = await httpsCall(
      { method: 'POST', url: url.href, headers: { ...headers, ...signature }, body, ca: this.#options.ca },
      signal,
    );
    return readToken(answer, login, url.origin);
  }
}

function passwordIdentity({ domainName, userName, password }: PasswordLogin): object {
  return {
    methods: ['password'],
    password: { user: { name: userName, password, domain: { name: domainName } } },
  };
}

const dayMs = 24 * 3_600_000;

function readToken(answer: HttpsAnswer, login: TokenLogin, origin: string): IamToken {
  const token = answer.headers['x-subject-token'];
  if (answer.status >= 400) throw iamError(answer, login, origin);
  if (typeof token !== 'string' || token === '') {
    throw new BackendError('unavailable', `${origin} answered ${answer.status} without a token`, {
      remedy: 'Check that iamEndpoint is the address of IAM',
    });
  }
  const described = recordIn(answer.body, 'token');
  const expires = Date.parse(textIn(described, 'expires_at'));
  const issued = Date.parse(textIn(described, 'issued_at'));
  const from = Number.isNaN(issued) ? dateOf(answer) : issued;
  const lifeMs = Number.isNaN(expires) || from === undefined ? dayMs : expires - from;
  return { token, lifeMs };
}

const remedies: Readonly<Record<number, string>> = {
  400: 'Check the names of account, user and agency, and the projectId',
  401: 'Check account, user name and password. IAM locks a user after several failures, so Spillway does not use them for a while',
  403: 'The user needs permission to use this project and, for an agency, Agent Operator',
  404: 'Check that the agency and the project exist and are spelled correctly',
};

function iamError({ status, body }: HttpsAnswer, login: TokenLogin, origin: string): BackendError {
  const said = textIn(recordIn(body, 'error'), 'message') || textIn(body, 'error_msg') || `status ${status}`;
  const message = `${origin} refused a token for ${describeLogin(login)}: ${withoutSecrets(said, login).slice(0, 300)}`;
  if (status === 429) return new BackendError('throttled', message);
  if (status >= 500) return new BackendError('unavailable', message);
  return new BackendError('unauthorized', message, { remedy: remedies[status] ?? remedies[400] ?? '' });
}

function recordIn(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
}

function textIn(value: unknown, field: string): string {
  const text = recordIn(value, field);
  return typeof text === 'string' ? text : '';
}
