import type { Lease } from '@spillway/kube';

/** Of a lease whose holder may still be at work. Clocks of machines differ, so it is watched and not only read. */
export type ServingVerdict =
  | { readonly kind: 'free' }
  | { readonly kind: 'serving' }
  /** It is free when nobody renews it for so long. */
  | { readonly kind: 'wait'; readonly ms: number };

const usualSeconds = 40;
/** Nobody is left who could be late with it: whoever else renews every ten seconds would do so now. */
const oldEnoughMs = 12_000;
/** Whoever has stood by takes a lease that was released. */
const standbyMs = 5000;

/**
 * @param first as it was when we began to watch it
 * @param watchedMs since then
 * @param lapsed its resource version when it was seen to have lapsed, by an earlier run
 * @param holderEnded who renewed it last has ended since
 */
export function servingVerdict(
  first: Lease | undefined,
  latest: Lease | undefined,
  {
    watchedMs,
    nowMs,
    lapsed,
    holderEnded = false,
  }: {
    readonly watchedMs: number;
    readonly nowMs: number;
    readonly lapsed?: string | undefined;
    readonly holderEnded?: boolean;
  },
): ServingVerdict {
  if (latest === undefined) return { kind: 'free' };
  const version = latest.metadata?.resourceVersion;
  if (version === lapsed) return { kind: 'free' };
  if (version !== first?.metadata?.resourceVersion) return { kind: 'serving' };
  const durationMs = (latest.spec?.leaseDurationSeconds ?? usualSeconds) * 1000;
  const renewedMs = Date.parse(latest.spec?.renewTime ?? '');
  const isOld = Number.isNaN(renewedMs) || nowMs - renewedMs > durationMs;
  if ((latest.spec?.holderIdentity ?? '') === '') return free(standbyMs - watchedMs);
  const needed = isOld || holderEnded ? Math.min(durationMs, oldEnoughMs) : durationMs;
  return free(needed - watchedMs);
}

const free = (leftMs: number): ServingVerdict => (leftMs <= 0 ? { kind: 'free' } : { kind: 'wait', ms: leftMs });
