import { type Clock, type Logger, doubledMs } from '@spillway/kube';
import { createCertificateRequest, type NodeIdentity } from './certificate-request.ts';
import {
  checkKeyPair,
  type KeyPair,
  type KeyPairUser,
  renewalTime,
  type ServingCertificateSource,
} from './key-pair.ts';
import type { SigningRequests } from './signing-requests.ts';
import { signingState } from './signing-state.ts';

export interface CsrSourceOptions extends NodeIdentity {
  readonly requests: SigningRequests;
  readonly logger: Logger;
  readonly clock: Clock;
}

const poll = { firstMs: 250, maxMs: 15_000 };
/** How long to wait before telling that somebody has to approve, and how often to tell it again. */
const reminderMs = 10_000;
const reminderAgainMs = 10 * 60_000;
const retry = { firstMs: 5_000, maxMs: 10 * 60_000 };

/** A certificate that the cluster signs and that is renewed when four fifths of its life are over. */
export class CsrCertificateSource implements ServingCertificateSource {
  readonly #options: CsrSourceOptions;

  constructor(options: CsrSourceOptions) {
    this.#options = options;
  }

  async run(use: KeyPairUser, signal: AbortSignal): Promise<void> {
    const { clock, logger, nodeName } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const pair = await this.#obtain(signal);
        const certificate = checkKeyPair(pair);
        use(pair);
        logger.info({ node: nodeName, validTo: certificate.validTo }, 'serving certificate issued');
        failures = 0;
        await clock.sleep(Math.max(0, renewalTime(certificate) - clock.now()), signal);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        const retryMs = doubledMs(failures, retry);
        const seconds = Math.round(retryMs / 1000);
        logger.error(
          { err: error, node: nodeName },
          `cannot get a new serving certificate; trying again in ${seconds} s`,
        );
        await clock.sleep(retryMs, signal);
      }
    }
  }

  async #obtain(signal: AbortSignal): Promise<KeyPair> {
    const { requests } = this.#options;
    const { request, key } = await createCertificateRequest(this.#options);
    const csr = await requests.submit(request, signal);
    await requests.approve?.(csr, signal);
    return { cert: await this.#issued(csr.metadata?.name ?? '', signal), key };
  }

  /** The certificate, when somebody has approved and the cluster has signed. */
  async #issued(name: string, signal: AbortSignal): Promise<string> {
    const { requests, clock, logger } = this.#options;
    let remindAt = clock.now() + reminderMs;
    for (let polls = 1; ; polls += 1) {
      const state = signingState(await requests.get(name, signal));
      if (state.kind === 'issued') return state.cert;
      if (state.kind === 'refused') throw new Error(`the certificate request ${name} was refused: ${state.why}`);
      if (clock.now() >= remindAt) {
        logger.warn({ csr: name }, reminder(name, state.kind));
        remindAt = clock.now() + reminderAgainMs;
      }
      await clock.sleep(doubledMs(polls, poll), signal);
      signal.throwIfAborted();
    }
  }
}

function reminder(name: string, kind: 'pending' | 'approved'): string {
  const consequence = 'until then logs and exec do not work';
  return kind === 'pending'
    ? `waiting for somebody to approve the serving certificate: kubectl certificate approve ${name}; ${consequence}`
    : `waiting for the cluster to sign ${name} (does kube-controller-manager run its signers?); ${consequence}`;
}
