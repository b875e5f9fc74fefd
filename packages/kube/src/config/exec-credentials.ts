import { type Clock, systemClock } from '../clock.ts';
import { KubeconfigError, errorMessage } from '../errors.ts';
import { type CredentialGeneration, type Credentials, type CredentialSource, sameCredentials } from './credentials.ts';
import { type ExecAnswer, type ExecCluster, execInfo, type ExecPlugin, parseExecAnswer } from './exec-plugin.ts';
import { runProgram } from './run-program.ts';

export interface ExecCredentialsOptions {
  readonly plugin: ExecPlugin;
  readonly cluster: ExecCluster;
  /** The plugin sees it, and finds its program with its PATH. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default: 60,000 */
  readonly timeoutMs?: number | undefined;
  /** Refuses a certificate that cannot be used. */
  readonly check?: ((credentials: Credentials) => void) | undefined;
  readonly clock?: Clock | undefined;
}

const maxOutputBytes = 1024 * 1024;
/** A plugin that fails, or brings nothing new, is not run again at once for each request. */
const pauseMs = 5_000;

/** What a plugin gave, asked anew before it expires and when the server refuses it. The plugin runs at most once at a time. */
export class ExecCredentials implements CredentialSource {
  readonly #options: ExecCredentialsOptions;
  readonly #clock: Clock;
  #latest: CredentialGeneration | undefined;
  #expiresAt = Number.POSITIVE_INFINITY;
  #refreshAt = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;
  #refused = false;
  #failure: unknown;
  #running: Promise<void> | undefined;

  constructor(options: ExecCredentialsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** @throws KubeconfigError with what the plugin said */
  async current(): Promise<CredentialGeneration> {
    const now = this.#clock.now();
    if (now >= this.#notBefore && (this.#refused || now >= this.#refreshAt)) {
      this.#running ??= this.#refresh();
      // Good ones are used meanwhile.
      if (this.#usable() === undefined) await this.#running;
    }
    const usable = this.#usable() ?? (this.#failure === undefined ? this.#latest : undefined);
    if (usable !== undefined) return usable;
    throw this.#failure;
  }

  invalidate(generation: number): void {
    if (generation === this.#latest?.generation) this.#refused = true;
  }

  #usable(): CredentialGeneration | undefined {
    return this.#refused || this.#clock.now() >= this.#expiresAt ? undefined : this.#latest;
  }

  async #refresh(): Promise<void> {
    try {
      const { credentials, expiresAt } = await this.#run();
      const before = this.#latest;
      const now = this.#clock.now();
      const same = before !== undefined && sameCredentials(before.credentials, credentials);
      if (!same) this.#latest = { generation: (before?.generation ?? 0) + 1, credentials };
      this.#expiresAt = expiresAt ?? Number.POSITIVE_INFINITY;
      this.#refreshAt = refreshTime(expiresAt, now);
      this.#notBefore = same || now >= this.#expiresAt ? now + pauseMs : now;
      this.#refused = false;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
      this.#notBefore = this.#clock.now() + pauseMs;
    } finally {
      this.#running = undefined;
    }
  }

  async #run(): Promise<ExecAnswer> {
    const { plugin, cluster, environment, timeoutMs = 60_000, check } = this.#options;
    const result = await runProgram({
      command: plugin.command,
      args: plugin.args,
      env: { ...environment, ...plugin.env, KUBERNETES_EXEC_INFO: execInfo(plugin, cluster) },
      timeoutMs,
      maxOutputBytes,
    });
    let problem = result.problem;
    if (problem === undefined) {
      try {
        const answer = parseExecAnswer(result.stdout, plugin);
        check?.(answer.credentials);
        return answer;
      } catch (error) {
        problem = errorMessage(error);
      }
    }
    const said = withoutSecrets(result.stderr, [tokenIn(result.stdout), this.#latest?.credentials.token]);
    const hint = result.missing ? plugin.installHint : undefined;
    const parts = [
      `${plugin.source}: the credential plugin "${plugin.command}" gave no credentials: ${problem}`,
      said === '' ? '' : `It said: ${said}`,
      hint ?? '',
    ];
    throw new KubeconfigError(parts.filter((part) => part !== '').join('. '));
  }
}

/** A minute before it expires, or when a fifth of its time is left. */
function refreshTime(expiresAt: number | undefined, now: number): number {
  if (expiresAt === undefined) return Number.POSITIVE_INFINITY;
  return expiresAt - Math.min(60_000, Math.max(0, expiresAt - now) / 5);
}

/** Also from an answer that is broken or in the wrong version. */
const tokenIn = (stdout: string): string | undefined => /"token"\s*:\s*"([^"]+)/.exec(stdout)?.[1];

function withoutSecrets(said: string, secrets: readonly (string | undefined)[]): string {
  let clean = said;
  for (const secret of secrets) if (secret !== undefined && secret !== '') clean = clean.replaceAll(secret, '[token]');
  return clean;
}
