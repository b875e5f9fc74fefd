import type { CertificateSigningRequest } from '@spillway/kube';

/** What has become of a CertificateSigningRequest. */
export type SigningState =
  | { readonly kind: 'pending' }
  | { readonly kind: 'approved' }
  | { readonly kind: 'issued'; readonly cert: string }
  | { readonly kind: 'refused'; readonly why: string };

export function signingState({ status }: CertificateSigningRequest): SigningState {
  const conditions = status?.conditions ?? [];
  const refusal = conditions.find(({ type }) => type === 'Denied' || type === 'Failed');
  if (refusal !== undefined) {
    const { type, reason, message } = refusal;
    const why = [reason, message].filter((text) => text !== undefined && text !== '').join(': ');
    return { kind: 'refused', why: `${type}${why === '' ? '' : ` (${why})`}` };
  }
  if (status?.certificate) return { kind: 'issued', cert: Buffer.from(status.certificate, 'base64').toString('utf8') };
  return { kind: conditions.some(({ type }) => type === 'Approved') ? 'approved' : 'pending' };
}
