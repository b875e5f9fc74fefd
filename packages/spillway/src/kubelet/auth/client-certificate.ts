import type { TLSSocket } from 'node:tls';
import type { User } from './reviews.ts';

export interface ClientCertificate {
  readonly subject: { readonly CN?: string | readonly string[]; readonly O?: string | readonly string[] };
  /** Milliseconds since the epoch. */
  readonly validUntil: number;
}

/** The client's certificate if it was verified during the handshake. */
export function verifiedCertificate(socket: TLSSocket): ClientCertificate | undefined {
  if (!socket.authorized) return undefined;
  const { subject, valid_to: validTo } = socket.getPeerCertificate();
  // Without a certificate the answer is an empty object.
  return subject === undefined ? undefined : { subject, validUntil: Date.parse(validTo) };
}

/**
 * The user of a verified certificate: common name and organisations, as everywhere in Kubernetes. The handshake may be long
 * ago, so the end of validity is looked at again.
 */
export function certificateUser({ subject, validUntil }: ClientCertificate, now: number): User | undefined {
  const { CN: name, O: organizations = [] } = subject;
  if (typeof name !== 'string' || name === '' || !(now < validUntil)) return undefined;
  const groups = typeof organizations === 'string' ? [organizations] : organizations;
  return { name, groups: [...groups, 'system:authenticated'] };
}
