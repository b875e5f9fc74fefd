import type { KeyPair, Validity } from './authority.ts';

export type Authority = KeyPair & Validity;

export interface Lives {
  readonly authorityMs: number;
  readonly certificateMs: number;
  /** A new authority signs only after this time, so that by then everybody trusts it. */
  readonly overlapMs: number;
}

const hourMs = 3_600_000;
export const defaultLives: Lives = {
  authorityMs: 365 * 24 * hourMs,
  certificateMs: 30 * 24 * hourMs,
  overlapMs: hourMs,
};

/** After four fifths of a life its successor is made. */
const isOld = ({ from, to }: Validity, now: number): boolean => now >= from + 0.8 * (to - from);

/** Those that are trusted: all that are valid, because certificates of each may be in use. */
export const trusted = (authorities: readonly Authority[], now: number): readonly Authority[] =>
  authorities.filter(({ to }) => to > now);

/** Whether a successor has to be made. */
export const needsSuccessor = (authorities: readonly Authority[], now: number): boolean =>
  trusted(authorities, now).every((authority) => isOld(authority, now));

/** The newest authority that everybody trusts by now; in the beginning the only one there is. */
export function signerOf(authorities: readonly Authority[], now: number, { overlapMs }: Lives): Authority | undefined {
  const byAge = trusted(authorities, now).toSorted((a, b) => b.from - a.from);
  return byAge.find(({ from }) => now - from >= overlapMs) ?? byAge.at(-1);
}

/** A serving certificate, and who signed it. */
export interface Issued extends KeyPair, Validity {
  readonly signer: string;
}

export const needsCertificate = (issued: Issued | undefined, signer: Authority, now: number): boolean =>
  issued === undefined || issued.signer !== signer.cert || isOld(issued, now);

/** No certificate outlives its authority. */
export const certificateValidity = (signer: Authority, now: number, { certificateMs }: Lives): Validity => ({
  from: now,
  to: Math.min(now + certificateMs, signer.to),
});
