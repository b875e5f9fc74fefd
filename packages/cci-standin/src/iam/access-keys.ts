import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '@spillway/kube';
import type { AccessKey, Account, Identity } from '../accounts.ts';
import { badCredentials, type Refusal } from '../refusal.ts';
import { isSignedBy, isTimely, readClaim, type SignedRequest } from '../signature.ts';
import { afterFailure, isLocked, type Failures } from './lock.ts';

export type Verdict = { readonly identity: Identity } | { readonly refusal: Refusal };

/** The keys of the region's users, and how often each was used wrongly in a row. */
export class AccessKeys {
  readonly #keys = new Map<string, { readonly key: AccessKey; readonly identity: Identity }>();
  readonly #failures = new Map<string, Failures>();
  readonly #clock: Clock;

  constructor(accounts: readonly Account[], clock: Clock) {
    this.#clock = clock;
    for (const { domain, project, users } of accounts) {
      for (const user of users) {
        const identity = { domain, project, user: { id: user.id, name: user.name } };
        for (const key of user.accessKeys) this.add(key, identity);
      }
    }
  }

  add(key: AccessKey, identity: Identity): void {
    const { expiresAt } = key;
    this.#keys.set(key.accessKey, { key, identity: expiresAt === undefined ? identity : { ...identity, expiresAt } });
  }

  /** From now on nobody knows it. */
  revoke(accessKey: string): void {
    this.#keys.delete(accessKey);
  }

  /** Failures in a row, and whether that has locked it. */
  stateOf(accessKey: string): { readonly failures: number; readonly locked: boolean } {
    const failures = this.#failures.get(accessKey);
    return { failures: failures?.count ?? 0, locked: isLocked(failures, this.#clock.now()) };
  }

  authenticate(request: SignedRequest): Verdict {
    const claim = readClaim(textOf(request.headers['authorization']));
    if (claim === undefined) return { refusal: badCredentials('Authorization format incorrect') };
    const found = this.#keys.get(claim.accessKey);
    if (found === undefined) {
      return { refusal: badCredentials(`Get secretKey failed,ak:${claim.accessKey},err:ak not exist`) };
    }
    const now = this.#clock.now();
    const failures = this.#failures.get(claim.accessKey);
    if (isLocked(failures, now)) {
      return { refusal: badCredentials('AK access failed to reach the limit,forbidden.') };
    }
    const detail = mistake(found.key, () => isSignedBy(found.key.secretKey, claim, request), request, now);
    if (detail !== undefined) {
      this.#failures.set(claim.accessKey, afterFailure(failures, now));
      return { refusal: badCredentials(detail) };
    }
    this.#failures.delete(claim.accessKey);
    return { identity: found.identity };
  }
}

function mistake(key: AccessKey, isSigned: () => boolean, request: SignedRequest, now: number): string | undefined {
  if (!isTimely(textOf(request.headers['x-sdk-date']), now)) {
    return 'verify aksk signature fail, x-sdk-date is not within 15 minutes of the current time';
  }
  if (!isSigned()) return 'verify aksk signature fail';
  if (key.securityToken !== undefined && !equal(key.securityToken, textOf(request.headers['x-security-token']))) {
    return 'decrypt token fail';
  }
  if (key.expiresAt !== undefined && key.expiresAt <= now) return 'security token expired';
  return undefined;
}

function equal(expected: string, given: string | undefined): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given ?? '')];
  return a.length === b.length && timingSafeEqual(a, b);
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(',');
}
