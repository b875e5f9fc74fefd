import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/** PEM texts. */
export interface TlsMaterial {
  /** The serving certificate, with intermediates if there are any. Without one every handshake fails. */
  readonly cert?: string;
  readonly key?: string;
  /** Authorities of client certificates. Without any no certificate is accepted. */
  readonly clientCa?: string;
}

export function secureContextOptions({ cert, key, clientCa }: TlsMaterial): SecureContextOptions {
  return {
    minVersion: 'TLSv1.2',
    // An empty list is not the same as none: without a list Node trusts all public authorities.
    ca: clientCa === undefined ? [] : [clientCa],
    // A resumed session would keep an identity whose authority is trusted no more. The API server keeps its connections anyway.
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}
