import { Informer, isAborted, type KubeClient, type Logger, namespaceOf, systemClock } from '@spillway/kube';
import { profileProblem } from '../placement/rules/profile-problem.ts';
import { type ScheduleProfile, scheduleProfiles } from '../placement/rules/schedule-profile.ts';
import type { AskPools } from '../podspec/fit/fit.ts';
import { advise } from './advise.ts';
import { Certificates } from './certificates.ts';
import { hostsOf, type WebhookAddress } from './configurations.ts';
import { mutate } from './mutate.ts';
import { revive } from './revive.ts';
import { defaultLives, type Lives } from '../authorities/rotation.ts';
import { forgiving } from './forgiving.ts';
import { AdmissionServer, type ServedReview } from './server.ts';

export interface AdmissionOptions {
  readonly client: KubeClient;
  readonly port: number;
  readonly address: WebhookAddress;
  readonly installation: string;
  /** Of the Secret with the authorities. */
  readonly namespace: string;
  readonly ask: AskPools;
  /** Authorities of those who are answered, PEM; absent: anybody is. */
  readonly clientCa?: string | undefined;
  readonly onRequest?: (record: ServedReview) => void;
  /** Called once, when the API server can call the webhooks and gets answers that know everything. */
  readonly onReady?: (() => void) | undefined;
  readonly logger: Logger;
  /** Default: a year for an authority, 30 days for a certificate. */
  readonly lives?: Lives;
}

const byNamespace = 'namespace';
/**
 * How long a replica that stops answers on: until then an API server may still be led here, since it takes a moment until every node
 * knows that an endpoint is gone.
 */
export const leaveMs = 5000;
const listenRetryMs = 5000;
/** The API servers learn of a certificate within seconds; until then attempts fail as before. */
const reviveAfterMs: readonly number[] = [0, 3000, 10_000, 30_000];
/** What failed longer ago has had its next attempts. */
const reviveWindowMs = 15 * 60_000;

/** The webhooks of one replica: server, certificates, and the profiles that its answers need. Every replica runs one. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #profiles: Informer<ScheduleProfile>;
  readonly #server: AdmissionServer;
  readonly #certificates: Certificates;
  /** Resolves when the profiles are known, or cannot be read now. */
  readonly #profilesTried = Promise.withResolvers<void>();

  constructor(options: AdmissionOptions) {
    const {
      client,
      installation,
      namespace,
      address,
      clientCa,
      logger,
      ask,
      onRequest,
      lives = defaultLives,
    } = options;
    this.#options = options;
    this.#profiles = new Informer({
      client,
      type: scheduleProfiles,
      indexes: { [byNamespace]: namespaceOf },
      onError: (error) => {
        logger.debug({ err: error }, 'cannot read ScheduleProfiles; trying again');
        this.#profilesTried.resolve();
      },
    });
    this.#profiles.subscribe({ synced: () => this.#profilesTried.resolve() });
    this.#server = new AdmissionServer({
      answers: {
        mutate: forgiving((request) => mutate(request, (of) => this.#usableProfiles(of), ask)),
        advise: forgiving((request) => advise(request, ask)),
      },
      logger,
      ...(clientCa === undefined ? {} : { clientCa }),
      ...(onRequest ? { onRequest } : {}),
    });
    this.#certificates = new Certificates({
      client,
      installation,
      namespace,
      hosts: hostsOf(address),
      profileNamespaces: () => [...new Set([...this.#profiles.store.values()].map(namespaceOf))],
      use: (pair) => this.#server.setTls(pair),
      lives,
      clock: systemClock,
      logger,
    });
  }

  /** Other replicas are called from now on, as soon as everybody knows. */
  leave(): void {
    this.#server.leave();
  }

  /** Resolves when `signal` is aborted and everything has stopped. */
  async run(signal: AbortSignal): Promise<void> {
    const refresh = (): void => this.#certificates.refresh();
    const subscription = this.#profiles.subscribe({ added: refresh, deleted: refresh });
    const certified = Promise.withResolvers<void>();
    signal.addEventListener(
      'abort',
      () => {
        certified.resolve();
        this.#profilesTried.resolve();
      },
      { once: true },
    );
    const listening = this.#listen(signal);
    await Promise.all([
      this.#profiles.run(signal),
      listening,
      this.#certificates.run(() => certified.resolve(), signal),
      certified.promise.then(() => this.#revive(signal)),
      this.#tellWhenReady([listening, certified.promise, this.#profilesTried.promise], signal),
    ]);
    subscription[Symbol.dispose]();
    await this.#server.close();
  }

  async #tellWhenReady(needs: readonly Promise<void>[], signal: AbortSignal): Promise<void> {
    await Promise.all(needs);
    if (!signal.aborted) this.#options.onReady?.();
  }

  #usableProfiles(namespace: string): readonly ScheduleProfile[] {
    return this.#profiles.store.byIndex(byNamespace, namespace).filter((one) => profileProblem(one) === undefined);
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const { port, logger } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#server.listen(port);
        logger.info({ port }, 'admission webhooks listening');
        return;
      } catch (error) {
        logger.error(
          { err: error, port, retryInSeconds: listenRetryMs / 1000 },
          'cannot listen for admission webhooks',
        );
        await systemClock.sleep(listenRetryMs, signal);
      }
    }
  }

  async #revive(signal: AbortSignal): Promise<void> {
    const { client, logger } = this.#options;
    let since = new Date(Date.now() - reviveWindowMs);
    for (const pauseMs of reviveAfterMs) {
      await systemClock.sleep(pauseMs, signal);
      if (signal.aborted) return;
      const startedAt = new Date();
      try {
        const workloads = await revive(client, since, signal);
        if (workloads > 0) logger.info({ workloads }, 'workloads that waited for the admission webhooks try again');
        // Events have seconds.
        since = new Date(startedAt.getTime() - 1000);
      } catch (error) {
        if (isAborted(error)) return;
        logger.warn({ err: error }, 'cannot look for workloads that wait for the admission webhooks');
      }
    }
  }
}
