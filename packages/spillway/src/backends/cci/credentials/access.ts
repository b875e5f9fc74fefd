import {
  ApiError,
  type Clock,
  type CredentialGeneration,
  type CredentialSource,
  type Logger,
  type OutgoingRequest,
  type SignatureHeaders,
  errorMessage,
} from '@spillway/kube';
import { sentences } from '../../../podspec/words.ts';
import { BackendError } from '../../backend.ts';
import { codeOf, refusesCredential } from '../errors.ts';
import type { IamToken, TokenLogin } from '../iam.ts';
import { type AccessKey, signRequest } from '../signing.ts';
import { type Gate, isProbeDue, type Paused, probed, type Refusal, refused, untried, type Verdict } from './gate.ts';
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

/** A login as it was read, and the token that it got. */
interface Known {
  readonly login: Login;
  /** Milliseconds since the epoch; it is read again after a while, and at once when it was refused. */
  readonly readAt: number;
  /** Missing: an access key needs none, and others have none yet. */
  readonly token?: Token | undefined;
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
  #known: Known | undefined;
  #skewMs = 0;
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
    if (this.#gate.kind === 'paused') throw this.#pausedError(this.#gate);
    return { generation: this.#gate.generation, credentials: {} };
  }

  invalidate(generation: number, refusal?: ApiError): void {
    if (refusal !== undefined && !refusesCredential(codeOf(refusal))) return;
    const before = this.#gate;
    const why = refusal?.message ?? 'it was refused';
    this.#gate = refused(before, generation, this.#options.clock.now(), { why, answer: refusal?.answer });
    if (this.#gate === before) return;
    this.#redate(refusal?.answer?.date);
    if (before.kind === 'paused') return;
    if (this.#known) this.#known = { login: this.#known.login, readAt: Number.NEGATIVE_INFINITY };
    this.#options.logger.warn(
      { login: this.#described(), refusal: why },
      'CCI refused the credential: calls are paused',
    );
  }

  readonly sign = (request: OutgoingRequest): SignatureHeaders => {
    const { login, token } = this.#known ?? {};
    if (token !== undefined) return { 'x-auth-token': token.value };
    if (login?.kind !== 'accessKey') throw new Error('signing before the credential was asked for');
    return signRequest(request, login, { date: new Date(this.#now()), projectId: this.#options.projectId });
  };

  /** The token of the user, for calls that want it in a header of its own; an access key has none. */
  get userToken(): string | undefined {
    return this.#known?.token?.value;
  }

  /** The access key, as it was read last; who logs in otherwise has none. */
  get accessKey(): AccessKey | undefined {
    const { login } = this.#known ?? {};
    return login?.kind === 'accessKey' ? login : undefined;
  }

  /** How far the gateway's clock is ahead of ours */
  get skewMs(): number {
    return this.#skewMs;
  }

  #isReady(): boolean {
    const now = this.#options.clock.now();
    if (this.#known === undefined) return false;
    const { login, readAt, token } = this.#known;
    if (now - readAt >= rereadMs || now < readAt) return false;
    if (this.#gate.kind === 'paused') return !isProbeDue(this.#gate, now);
    return login.kind === 'accessKey' || (token !== undefined && now < token.renewAt);
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

  #afterProbe(generation: number, { verdict, says, body, refusal }: Probed): Gate {
    const gate = this.#gate;
    if (gate.kind === 'open' || gate.generation !== generation) return gate;
    const said =
      verdict === 'refused' && says !== undefined
        ? { why: says, answer: { ...(body !== undefined && { body }) } }
        : refusal;
    const next = probed(gate, verdict, this.#options.clock.now(), said);
    if (next.kind === 'open') {
      this.#options.logger.info({ login: this.#described() }, 'CCI accepts the credential: calls resume');
    }
    return next;
  }

  async #reread(): Promise<void> {
    const { source, clock, logger } = this.#options;
    const now = clock.now();
    try {
      const login = await source.read();
      const before = this.#known;
      const isSame = before !== undefined && sameLogin(before.login, login);
      if (before !== undefined && !isSame) {
        this.#gate = untried(this.#gate.generation + 1, now);
        logger.info({ login: describeLogin(login) }, 'the credential for CCI was replaced');
      }
      this.#known = { login, readAt: now, token: isSame ? before.token : undefined };
    } catch (error) {
      // The file is being replaced, or somebody made a mistake: the last good one still works.
      if (this.#known === undefined) throw asApiError(error);
      this.#known = { ...this.#known, readAt: now };
      logger.warn({ err: error }, 'cannot read the credential for CCI again; the last one stays in use');
    }
  }

  async #renewWhileOpen(): Promise<void> {
    const { clock, logger } = this.#options;
    const now = clock.now();
    if (this.#known === undefined) return;
    const { login, token } = this.#known;
    if (login.kind === 'accessKey' || (token !== undefined && now < token.renewAt)) return;
    try {
      this.#use(await this.#newToken(login));
    } catch (error) {
      if (token !== undefined && now < token.expiresAt) {
        this.#use({ ...token, renewAt: Math.min(token.expiresAt, now + retryRenewalMs) });
        logger.warn({ err: error }, 'cannot renew the token for CCI; the last one stays in use');
        return;
      }
      this.#use(undefined);
      if (isRefusal(error)) {
        this.#gate = refused(this.#gate, this.#gate.generation, now, { why: withRemedy(error) });
      }
      throw asApiError(error);
    }
  }

  async #probe(signal: AbortSignal): Promise<Probed> {
    const { probe } = this.#options;
    const { login } = this.#known ?? {};
    if (login !== undefined && login.kind !== 'accessKey') {
      try {
        this.#use(await this.#newToken(login));
      } catch (error) {
        const refusal = { why: withRemedy(error) };
        return { verdict: isRefusal(error) ? 'refused' : 'unreachable', refusal };
      }
    }
    return await probe(this.sign, signal);
  }

  #use(token: Token | undefined): void {
    if (this.#known) this.#known = { ...this.#known, token };
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
      'the clock of this machine differs from that of CCI; signatures use the time of CCI',
    );
  }

  #described(): string {
    return this.#known === undefined ? this.#options.source.about : describeLogin(this.#known.login);
  }

  #pausedError({ probeAt, failures, refusal }: Paused): ApiError {
    const wait = `${Math.max(1, Math.ceil((probeAt - this.#options.clock.now()) / 1000))} s`;
    if (failures === 0) {
      const message = `CCI could not be asked whether it accepts ${this.#described()}; asking again in ${wait}. Check the endpoint and the network path to it`;
      return new ApiError(message, { status: 503 });
    }
    const message = `CCI refuses ${this.#described()}, so Spillway makes no calls with it. It probes again in ${wait}, or as soon as ${this.#options.source.about} has another one (${refusal?.why ?? ''})`;
    return new ApiError(message, { status: 401, reason: 'Unauthorized', answer: refusal?.answer });
  }
}

interface Probed extends ProbeAnswer {
  /** Why no token was given, before anything was asked */
  readonly refusal?: Refusal;
}

const isRefusal = (error: unknown): boolean => error instanceof BackendError && error.kind === 'unauthorized';

function withRemedy(error: unknown): string {
  return sentences(errorMessage(error), error instanceof BackendError ? error.remedy : undefined);
}

/** What the Kubernetes client hands on as it is. */
function asApiError(error: unknown): ApiError {
  const kind = error instanceof BackendError ? error.kind : 'internal';
  const status = kind === 'unauthorized' ? 401 : kind === 'throttled' ? 429 : 503;
  const made = new ApiError(withRemedy(error), { status });
  made.cause = error;
  return made;
}
