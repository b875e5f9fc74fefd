import { readFile } from 'node:fs/promises';
import type { Clock, Logger } from '@spillway/kube';
import { checkKeyPair, type KeyPair, type KeyPairUser, type ServingCertificateSource } from './key-pair.ts';

export interface FileSourceOptions {
  readonly certFile: string;
  readonly keyFile: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** How often the files are read; default 10 s. Mounted Secrets change by symbolic links, which file watchers miss. */
  readonly intervalMs?: number;
}

/** A certificate that somebody else puts into files and renews there. */
export class FileCertificateSource implements ServingCertificateSource {
  readonly #options: FileSourceOptions;

  constructor(options: FileSourceOptions) {
    this.#options = options;
  }

  async run(use: KeyPairUser, signal: AbortSignal): Promise<void> {
    const { logger, clock, intervalMs = 10_000, certFile } = this.#options;
    let current: KeyPair | undefined;
    let lastTrouble = '';
    while (!signal.aborted) {
      try {
        const pair = await this.#read();
        if (pair.cert !== current?.cert || pair.key !== current.key) {
          const { subject, validTo } = checkKeyPair(pair);
          use(pair);
          current = pair;
          logger.info({ certFile, subject, validTo }, 'serving certificate loaded');
        }
        lastTrouble = '';
      } catch (error) {
        const trouble = String(error);
        if (trouble !== lastTrouble) logger.error({ err: error }, this.#explain(current));
        lastTrouble = trouble;
      }
      await clock.sleep(intervalMs, signal);
    }
  }

  async #read(): Promise<KeyPair> {
    const { certFile, keyFile } = this.#options;
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
    return { cert, key };
  }

  #explain(current: KeyPair | undefined): string {
    const { certFile, keyFile } = this.#options;
    const consequence = current === undefined ? 'logs and exec will not work' : 'the previous one stays in use';
    return `the serving certificate in ${certFile} and ${keyFile} cannot be used; ${consequence} until it can be read`;
  }
}
