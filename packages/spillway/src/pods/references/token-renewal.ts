/** As the kubelet: at 80 % of its life, and never older than a day. */
const renewAtFraction = 0.8;
const jitterFraction = 0.05;
const maxAgeMs = 24 * 3_600_000;

/**
 * When a token is to be renewed that was asked for at `askedMs`. A life and no date: it holds for whatever clock. Up to 5 % of
 * it later, so that tokens that were asked for together are not renewed together.
 *
 * @param random 0 ≤ random < 1
 */
export function renewalTimeMs(askedMs: number, lifeSeconds: number, random: number): number {
  const lifeMs = Math.min(lifeSeconds * 1000, maxAgeMs / renewAtFraction);
  return askedMs + lifeMs * (renewAtFraction + jitterFraction * random);
}
