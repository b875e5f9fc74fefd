import { type Clock, isAborted, type KubeClient, type Logger } from '@spillway/kube';
import { linkServerName } from '@spillway/link-agent';
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

export interface LinkCertificatesOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  /** Of the Secret with the authorities. */
  readonly namespace: string;
  readonly name: string;
  readonly use: (pair: KeyPair, authorities: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const hourMs = 3_600_000;
/**
 * A pod keeps what it was given when it started, and its agent may be restarted at any time: so an authority lives as long as pods can
 * be expected to, and a new one signs only when no pod is left that does not know it.
 */
const lives: Lives = {
  authorityMs: 10 * 365 * 24 * hourMs,
  certificateMs: 30 * 24 * hourMs,
  overlapMs: 365 * 24 * hourMs,
};
const intervalMs = 60_000;
const retryMs = 5000;

/** Keeps the server's certificate valid, and known who vouches for it. */
export class LinkCertificates {
  readonly #options: LinkCertificatesOptions;
  readonly #known = Promise.withResolvers<void>();
  #issued: Issued | undefined;
  #authorities = '';

  constructor(options: LinkCertificatesOptions) {
    this.#options = options;
  }

  /** PEM; empty until {@link known}. */
  get authorities(): string {
    return this.#authorities;
  }

  /** Resolves when the authorities are known for the first time. */
  get known(): Promise<void> {
    return this.#known.promise;
  }

  /** Resolves when `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      let pauseMs = intervalMs;
      try {
        await this.#keep(signal);
        this.#known.resolve();
      } catch (error) {
        if (isAborted(error) || signal.aborted) return;
        pauseMs = retryMs;
        logger.error({ err: error, retryInSeconds: pauseMs / 1000 }, 'cannot keep the certificate of the link server');
      }
      await clock.sleep(pauseMs, signal);
    }
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const { client, namespace, name, use, clock, logger } = this.#options;
    const now = clock.now();
    const all = await sharedAuthorities({ client, namespace, name, lives, now: () => clock.now() }, signal);
    const authorities = trusted(all, now)
      .map(({ cert }) => cert)
      .join('');
    const signer = signerOf(all, now, lives);
    if (signer === undefined) return;
    const isOld = needsCertificate(this.#issued, signer, now);
    if (!isOld && authorities === this.#authorities) return;
    const validity = certificateValidity(signer, now, lives);
    const pair = await issue(signer, [linkServerName], validity);
    this.#issued = { ...pair, ...validity, signer: signer.cert };
    this.#authorities = authorities;
    use(pair, authorities);
    logger.info({ validTo: new Date(validity.to).toISOString() }, 'certificate of the link server made');
  }
}
