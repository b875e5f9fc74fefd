import { X509Certificate } from 'node:crypto';
import type { Credentials } from '../config/credentials.ts';

/** The API server answers "Unauthorized" to an expired client certificate and does not say why. This does. */
export function expiredCertificateHint({ clientCert }: Credentials, now: number, source: string): string {
  if (clientCert === undefined) return '';
  try {
    const { validTo, validToDate } = new X509Certificate(clientCert);
    return validToDate.getTime() < now ? ` (the client certificate of ${source} expired on ${validTo})` : '';
  } catch {
    return '';
  }
}
