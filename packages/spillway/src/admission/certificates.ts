import { type Clock, isAborted, type KubeClient, type Logger, doubledMs } from '@spillway/kube';
import { issue, type KeyPair } from '../authorities/authority.ts';
import {
  certificateValidity,
  type Issued,
  type Lives,
  needsCertificate,
  signerOf,
  trusted,
} from '../authorities/rotation.ts';
import { sharedAuthorities } from '../authorities/shared-authorities.ts';
import { secretName } from './authority-secret.ts';
import { writeTrust } from './trust.ts';

export interface CertificatesOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  readonly installation: string;
  /** Of the Secret with the authorities. */
  readonly namespace: string;
  readonly hosts: readonly string[];
  readonly profileNamespaces: () => readonly string[];
  readonly use: (pair: KeyPair) => void;
  readonly lives: Lives;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a configuration that was applied anew, or another replica's new authority, may go unnoticed. */
const intervalMs = 10_000;
const firstRetryMs = 1000;

/** Keeps the server's certificate valid, and the API server trusting it. */
export class Certificates {
  readonly #options: CertificatesOptions;
  #issued: Issued | undefined;
  #wake: () => void = () => undefined;

  constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  /** Something that the configurations say has changed. */
  refresh(): void {
    this.#wake();
  }

  /** Calls `onReady` when the server can be called for the first time. Resolves when `signal` is aborted. */
  async run(onReady: () => void, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    let ready = false;
    let failures = 0;
    while (!signal.aborted) {
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      let pauseMs = intervalMs;
      try {
        await this.#keep(signal);
        if (!ready) onReady();
        ready = true;
        failures = 0;
      } catch (error) {
        if (isAborted(error) || signal.aborted) return;
        failures += 1;
        pauseMs = doubledMs(failures, { firstMs: firstRetryMs, maxMs: intervalMs });
        logger.error(
          { err: error, retryInSeconds: pauseMs / 1000 },
          'cannot keep the certificate of the admission webhooks',
        );
      }
      const slept = new AbortController();
      await Promise.race([clock.sleep(pauseMs, AbortSignal.any([signal, slept.signal])), woken.promise]);
      slept.abort();
    }
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const { client, installation, namespace, hosts, profileNamespaces, use, lives, clock, logger } = this.#options;
    const authorities = await sharedAuthorities(
      { client, namespace, name: secretName(installation), lives, now: () => clock.now() },
      signal,
    );
    const now = clock.now();
    // First trust, then certificates.
    const trust = {
      authorities: trusted(authorities, now).map(({ cert }) => cert),
      profileNamespaces: profileNamespaces(),
    };
    await writeTrust(client, installation, trust, signal);
    const signer = signerOf(authorities, now, lives);
    if (signer === undefined || !needsCertificate(this.#issued, signer, now)) return;
    const validity = certificateValidity(signer, now, lives);
    const pair = await issue(signer, hosts, validity);
    this.#issued = { ...pair, ...validity, signer: signer.cert };
    use(pair);
    logger.info({ hosts, validTo: new Date(validity.to).toISOString() }, 'certificate of the admission webhooks made');
  }
}
