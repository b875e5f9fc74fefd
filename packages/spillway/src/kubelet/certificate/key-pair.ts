import { createPrivateKey, X509Certificate } from 'node:crypto';

/** A serving certificate with its key, as PEM texts. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Takes each new pair into use, e.g. `KubeletServer.setTls`. */
export type KeyPairUser = (pair: KeyPair) => void;

/**
 * Where the serving certificate comes from. `run` hands over a pair as soon as there is one and each later one, and
 * returns when the signal aborts. Trouble is logged and tried again; a pair in use stays in use.
 */
export interface ServingCertificateSource {
  run(use: KeyPairUser, signal: AbortSignal): Promise<void>;
}

/** @throws when a text cannot be read, or the key is not the certificate's */
export function checkKeyPair({ cert, key }: KeyPair): X509Certificate {
  const certificate = new X509Certificate(cert);
  if (!certificate.checkPrivateKey(createPrivateKey(key)))
    throw new Error('the key does not belong to the certificate');
  return certificate;
}

/** Milliseconds since the epoch: when four fifths of the certificate's life are over. */
export function renewalTime({ validFrom, validTo }: Pick<X509Certificate, 'validFrom' | 'validTo'>): number {
  const from = Date.parse(validFrom);
  return from + 0.8 * (Date.parse(validTo) - from);
}
