import {
  type ApiAnswer,
  ApiError,
  type Clock,
  type CredentialGeneration,
  type CredentialSource,
  type Logger,
  type OutgoingRequest,
  type SignatureHeaders,
  errorMessage,
} from '@spillway/kube';
import { BackendError } from '../../backend.ts';
import { codeOf, refusesCredential } from '../errors.ts';
import type { IamToken, TokenLogin } from '../iam.ts';
import { type AccessKey, signRequest } from '../signing.ts';
import { type Gate, isProbeDue, probed, refused, untried, type Verdict } from './gate.ts';
import { describeLogin, type Login, sameLogin } from './login.ts';
import type { LoginSource } from './login-source.ts';

export interface ProbeAnswer {
  readonly verdict: Verdict;
  /** The gateway's time */
  readonly date?: number | undefined;
  /** Why it was refused */
  readonly says?: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

export interface AccessOptions {
  readonly source: LoginSource;
  readonly projectId: string;
  /** @throws BackendError; "unauthorized" counts as a refusal */
  readonly token: (login: TokenLogin, now: number, signal: AbortSignal) => Promise<IamToken>;
  /** One harmless call with the headers that `sign` gives. Never throws. */
  readonly probe: (sign: Access['sign'], signal: AbortSignal) => Promise<ProbeAnswer>;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Token {
  readonly value: string;
  readonly renewAt: number;
  readonly expiresAt: number;
}

const rereadMs = 10_000;
const renewAtPartOfLife = 0.8;
const retryRenewalMs = 30_000;
/** Less is nothing to tell people: the gateway accepts 15 minutes. */
const notableSkewMs = 60_000;
/** Somewhat less than what the gateway accepts */
const windowMs = 14 * 60_000;

/**
 * The credential of one account: what the Kubernetes client asks before each call, and what signs the call. While it is
 * refused nothing leaves but one probe at a time.
 */
export class Access implements CredentialSource {
  readonly #options: AccessOptions;
  #gate: Gate;
  #login: Login | undefined;
  #token: Token | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #skewMs = 0;
  #why = '';
  /** Of the refusal, for its code */
  #answer: ApiAnswer | undefined;
  #working: Promise<void> | undefined;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#gate = untried(1, options.clock.now());
  }

  /**
   * Waits for a probe or a token that is under way. Throws ApiError 401 while calls are paused: that is what the answer would
   * be, without asking for it.
   */
  async current(): Promise<CredentialGeneration> {
    if (!this.#isReady()) {
      this.#working ??= this.#work().finally(() => {
        this.#working = undefined;
      });
      await this.#working;
    }
    if (this.#gate.kind === 'paused') throw this.#pausedError();
    return { generation: this.#gate.generation, credentials: {} };
  }

  invalidate(generation: number, refusal?: ApiError): void {
    if (refusal !== undefined && !refusesCredential(codeOf(refusal))) return;
    const before = this.#gate;
    this.#gate = refused(before, generation, this.#options.clock.now());
    if (this.#gate === before) return;
    this.#redate(refusal?.answer?.date);
    if (before.kind === 'paused') return;
    this.#why = refusal?.message ?? 'it was refused';
    this.#answer = refusal?.answer;
    this.#readAt = Number.NEGATIVE_INFINITY;
    this.#token = undefined;
    this.#options.logger.warn(
      { login: this.#described(), refusal: this.#why },
      'CCI refused the credential: calls are paused',
    );
  }

  readonly sign = (request: OutgoingRequest): SignatureHeaders => {
    if (this.#token !== undefined) return { 'x-auth-token': this.#token.value };
    if (this.#login?.kind !== 'accessKey') throw new Error('signing before the credential was asked for');
    return signRequest(request, this.#login, { date: new Date(this.#now()), projectId: this.#options.projectId });
  };

  /** The token of the user, for calls that want it in a header of its own; an access key has none. */
  get userToken(): string | undefined {
    return this.#token?.value;
  }

  /** The access key, as it was read last; who logs in otherwise has none. */
  get accessKey(): AccessKey | undefined {
    return this.#login?.kind === 'accessKey' ? this.#login : undefined;
  }

  /** How far the gateway's clock is ahead of ours */
  get skewMs(): number {
    return this.#skewMs;
  }

  #isReady(): boolean {
    const now = this.#options.clock.now();
    const isFresh = this.#login !== undefined && now - this.#readAt < rereadMs && now >= this.#readAt;
    if (!isFresh) return false;
    if (this.#gate.kind === 'paused') return !isProbeDue(this.#gate, now);
    return this.#login?.kind === 'accessKey' || (this.#token !== undefined && now < this.#token.renewAt);
  }

  async #work(): Promise<void> {
    const { clock, signal } = this.#options;
    await this.#reread();
    if (this.#gate.kind === 'open') {
      await this.#renewWhileOpen();
      return;
    }
    if (!isProbeDue(this.#gate, clock.now())) return;
    const { generation } = this.#gate;
    const skewMs = this.#skewMs;
    let answer = await this.#probe(signal);
    this.#redate(answer.date);
    this.#gate = this.#afterProbe(generation, answer);
    if (answer.verdict !== 'refused' || Math.abs(this.#skewMs - skewMs) < windowMs) return;
    // It was our clock: now we know the time of the gateway.
    answer = await this.#probe(signal);
    this.#gate = this.#afterProbe(generation, answer);
  }

  #afterProbe(generation: number, { verdict, says, body }: ProbeAnswer): Gate {
    const gate = this.#gate;
    if (gate.kind === 'open' || gate.generation !== generation) return gate;
    if (verdict === 'refused' && says !== undefined) {
      this.#why = says;
      this.#answer = { ...(body !== undefined && { body }) };
    }
    const next = probed(gate, verdict, this.#options.clock.now());
    if (next.kind === 'open') {
      this.#options.logger.info({ login: this.#described() }, 'CCI accepts the credential: calls go on');
    }
    return next;
  }

  async #reread(): Promise<void> {
    const { source, clock, logger } = this.#options;
    const now = clock.now();
    try {
      const login = await source.read();
      this.#readAt = now;
      if (this.#login !== undefined && !sameLogin(this.#login, login)) {
        this.#gate = untried(this.#gate.generation + 1, now);
        this.#token = undefined;
        logger.info({ login: describeLogin(login) }, 'the credential for CCI was replaced');
      }
      this.#login = login;
    } catch (error) {
      // The file is being replaced, or somebody made a mistake: the last good one still works.
      if (this.#login === undefined) throw asApiError(error);
      this.#readAt = now;
      logger.warn({ err: error }, 'the credential for CCI cannot be read again: the last one stays in use');
    }
  }

  async #renewWhileOpen(): Promise<void> {
    const { clock, logger } = this.#options;
    const now = clock.now();
    if (this.#login === undefined || this.#login.kind === 'accessKey') return;
    if (this.#token !== undefined && now < this.#token.renewAt) return;
    try {
      this.#token = await this.#newToken(this.#login);
    } catch (error) {
      if (this.#token !== undefined && now < this.#token.expiresAt) {
        this.#token = { ...this.#token, renewAt: Math.min(this.#token.expiresAt, now + retryRenewalMs) };
        logger.warn({ err: error }, 'the token for CCI could not be renewed: the last one stays in use');
        return;
      }
      this.#token = undefined;
      if (isRefusal(error)) {
        this.#gate = refused(this.#gate, this.#gate.generation, now);
        this.#why = withRemedy(error);
        this.#answer = undefined;
      }
      throw asApiError(error);
    }
  }

  async #probe(signal: AbortSignal): Promise<ProbeAnswer> {
    const { probe } = this.#options;
    if (this.#login !== undefined && this.#login.kind !== 'accessKey') {
      try {
        this.#token = await this.#newToken(this.#login);
      } catch (error) {
        this.#why = withRemedy(error);
        this.#answer = undefined;
        return { verdict: isRefusal(error) ? 'refused' : 'unreachable' };
      }
    }
    return await probe(this.sign, signal);
  }

  async #newToken(login: TokenLogin): Promise<Token> {
    const { token, signal, clock } = this.#options;
    const { token: value, lifeMs } = await token(login, this.#now(), signal);
    const now = clock.now();
    return { value, renewAt: now + lifeMs * renewAtPartOfLife, expiresAt: now + lifeMs };
  }

  /** The gateway's time */
  #now(): number {
    return this.#options.clock.now() + this.#skewMs;
  }

  #redate(date: number | undefined): void {
    if (date === undefined) return;
    this.#skewMs = date - this.#options.clock.now();
    if (Math.abs(this.#skewMs) < notableSkewMs) return;
    const minutes = Math.round(this.#skewMs / 60_000);
    this.#options.logger.warn(
      { minutes },
      'the clock of this machine differs from CCI: signatures use the time of CCI',
    );
  }

  #described(): string {
    return this.#login === undefined ? this.#options.source.about : describeLogin(this.#login);
  }

  #pausedError(): ApiError {
    const left = this.#gate.kind === 'paused' ? this.#gate.probeAt - this.#options.clock.now() : 0;
    const wait = `${Math.max(1, Math.ceil(left / 1000))} s`;
    if (this.#gate.kind === 'paused' && this.#gate.failures === 0) {
      const message = `CCI could not be asked whether it accepts ${this.#described()}: it is asked again in ${wait}. Check the endpoint and the way to it`;
      return new ApiError(message, { status: 503 });
    }
    const message = `CCI refuses ${this.#described()}, so no calls are made with it until a probe in ${wait} or until ${this.#options.source.about} has another (${this.#why})`;
    return new ApiError(message, { status: 401, reason: 'Unauthorized', answer: this.#answer });
  }
}

const isRefusal = (error: unknown): boolean => error instanceof BackendError && error.kind === 'unauthorized';

function withRemedy(error: unknown): string {
  const text = errorMessage(error);
  return error instanceof BackendError && error.remedy !== undefined ? `${text}. ${error.remedy}` : text;
}

/** What the Kubernetes client hands on as it is. */
function asApiError(error: unknown): ApiError {
  const kind = error instanceof BackendError ? error.kind : 'internal';
  const status = kind === 'unauthorized' ? 401 : kind === 'throttled' ? 429 : 503;
  const made = new ApiError(withRemedy(error), { status });
  made.cause = error;
  return made;
}
