import { hash } from 'node:crypto';
import { Problem } from '../problem.ts';
import type { RequiredAccess } from './attributes.ts';
import { ReviewCache } from './review-cache.ts';
import type { Reviews, TokenStanding, User } from './reviews.ts';
import { StrangerQuestions } from './stranger-questions.ts';

export interface AccessControlOptions {
  readonly reviews: Reviews;
  /** Milliseconds since the epoch. Default: the system's clock. */
  readonly now?: () => number;
  /** Default 2 min, as in the kubelet. A token that is not valid is asked about again after 10 s. */
  readonly tokenTtlMs?: number;
  /** Default 5 min, as in the kubelet. */
  readonly allowedTtlMs?: number;
  /** Default 30 s, as in the kubelet. */
  readonly deniedTtlMs?: number;
  /** Good answers that are remembered, and bad ones, for each kind of review; default 4096. */
  readonly maxEntries?: number;
}

export interface RequestCredentials {
  /** Of a client certificate that was verified. */
  readonly certificateUser: User | undefined;
  readonly authorization: string | undefined;
  /** Where from. Who shares it shares what strangers may ask. */
  readonly address?: string;
}

const deniedTokenTtlMs = 10_000;
/** Longer ones are no tokens; service account tokens have about 1 KiB. */
const maxTokenLength = 32 * 1024;

/** Decides who sends a request and whether they may. What cannot be decided is refused. */
export class AccessControl {
  readonly #reviews: Reviews;
  readonly #tokens: ReviewCache<User | undefined>;
  readonly #access: ReviewCache<boolean>;
  readonly #strangers: StrangerQuestions;

  constructor(options: AccessControlOptions) {
    const { reviews, now = Date.now, maxEntries = 4096 } = options;
    const { tokenTtlMs = 120_000, allowedTtlMs = 300_000, deniedTtlMs = 30_000 } = options;
    this.#reviews = reviews;
    this.#tokens = new ReviewCache({
      maxEntries,
      now,
      isGood: (user) => user !== undefined,
      goodMs: tokenTtlMs,
      badMs: deniedTokenTtlMs,
    });
    this.#access = new ReviewCache({
      maxEntries,
      now,
      isGood: (allowed) => allowed,
      goodMs: allowedTtlMs,
      badMs: deniedTtlMs,
    });
    this.#strangers = new StrangerQuestions({ now });
  }

  /**
   * @throws {Problem} 401 for whoever does not prove who they are, 429 for a token that was never valid while too many such
   * are asked about, 503 when the API server does not say
   */
  async authenticate({ certificateUser, authorization, address = '' }: RequestCredentials): Promise<User> {
    if (certificateUser !== undefined) return certificateUser;
    const token = bearerToken(authorization);
    const user = token === undefined ? undefined : await this.#tokenUser(token, address);
    if (user === undefined) throw new Problem(401, 'Unauthorized');
    return user;
  }

  /** @throws {Problem} 403, or 503 when the API server does not say */
  async authorize(user: User, { verb, subresources }: RequiredAccess): Promise<void> {
    for (const subresource of subresources) {
      if (await this.#isAllowed(user, verb, subresource)) return;
    }
    const list = subresources.join(' ');
    throw new Problem(403, `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${list}])`);
  }

  #tokenUser(token: string, address: string): Promise<User | undefined> {
    // The hash stands for the token, so that no memory of the process holds tokens for minutes.
    return this.#tokens.get(hash('sha256', token), async (known) => {
      if (known) return this.#tokenReview(token, 'known');
      const asked = await this.#strangers.ask(address, () => this.#tokenReview(token, 'unknown'));
      if (asked === undefined) throw new Problem(429, 'Too many unknown tokens', { retryAfterSeconds: 1 });
      return asked.answer;
    });
  }

  async #tokenReview(token: string, standing: TokenStanding): Promise<User | undefined> {
    try {
      return await this.#reviews.tokenReview(token, standing);
    } catch (cause) {
      throw unanswered('The token cannot be checked: the API server does not answer token reviews', cause);
    }
  }

  #isAllowed(user: User, verb: string, subresource: string): Promise<boolean> {
    const key = JSON.stringify([user.name, user.groups, user.uid, user.extra, verb, subresource]);
    return this.#access.get(key, async () => {
      try {
        return await this.#reviews.subjectAccessReview(user, { verb, subresource });
      } catch (cause) {
        const question = `user=${user.name}, verb=${verb}, resource=nodes, subresource=${subresource}`;
        throw unanswered(`Authorization error (${question}): the API server does not answer access reviews`, cause);
      }
    });
  }
}

function unanswered(message: string, cause: unknown): Problem {
  return new Problem(503, message, { cause, retryAfterSeconds: 1 });
}

function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > maxTokenLength) return undefined;
  const [, token] = /^bearer +(\S+) *$/i.exec(authorization) ?? [];
  return token;
}
