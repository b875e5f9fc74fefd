import type { PodSpec, Secret } from '@spillway/kube';
import { parseImage, type RegistryCredential } from '../../../podspec/images.ts';
import type { Notice } from '../../../podspec/notice.ts';
import { credentialsOf, matchingCredentials } from '../../../podspec/registry-credentials.ts';
import { hostOf, type WantedLogin } from './pull-secret.ts';

export interface PullingPod {
  readonly namespace: string;
  /** With the images as CCI is to pull them. */
  readonly spec: PodSpec | undefined;
  /** Its pull Secrets, as far as they are there. */
  readonly secrets: ReadonlyMap<string, Secret>;
}

export interface PodLogins {
  readonly logins: readonly WantedLogin[];
  readonly notices: readonly Notice[];
}

/**
 * The logins that a pod needs of those that it brings, and the one for SWR that Spillway has by itself. The vendor's pull
 * Secrets, one in each namespace of its clusters, expire, and ours does not.
 */
export function loginsOf(
  { namespace, spec, secrets }: PullingPod,
  swr: RegistryCredential | undefined,
  now: number,
): PodLogins {
  const logins: WantedLogin[] = [];
  const notices: Notice[] = [];
  for (const [name, secret] of secrets) {
    const found = credentialsOf(secret);
    const brought = (found.ok ? found.credentials : []).filter((login) => isUsed(login, spec));
    const vendors = secret.metadata?.labels?.['secret-generated-by'] === 'cce';
    const expiresAt = vendors ? expiryOf(secret) : undefined;
    for (const login of brought) {
      if (vendors && swr !== undefined && isFor(swr, login.registry)) continue;
      if (expiresAt !== undefined && expiresAt <= now) {
        notices.push(expired(login.registry, `${namespace}/${name}`, expiresAt));
      } else {
        // All of the vendor's are one: each of them pulls what the others do.
        const from = vendors ? `the cluster's ${name}` : `${namespace}/${name}`;
        logins.push({ login, from, ...(expiresAt !== undefined && { expiresAt }) });
      }
    }
  }
  const isCovered = swr !== undefined && logins.some(({ login }) => isFor(swr, login.registry));
  if (swr !== undefined && !isCovered && isUsed(swr, spec)) logins.push({ login: swr, from: "Spillway's access key" });
  return { logins, notices };
}

/** Is there an image that is pulled with it? */
export function isUsed(login: RegistryCredential, spec: PodSpec | undefined): boolean {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].some(({ image = '' }) => {
    const parsed = parseImage(image);
    return parsed.ok && matchingCredentials(parsed.reference, [login]).length > 0;
  });
}

/** `2021-11-26 20:55:31.380909 +0000 UTC` */
function expiryOf({ metadata }: Secret): number | undefined {
  const said = metadata?.annotations?.['temporary-ak-sk-expires-at'] ?? '';
  const [, date, time] = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)/.exec(said) ?? [];
  const at = Date.parse(`${date}T${time}Z`);
  return Number.isNaN(at) ? undefined : at;
}

function expired(registry: string, from: string, at: number): Notice {
  return {
    severity: 'Warning',
    reason: 'RegistryLoginExpired',
    message: `The login for ${registry} in ${from} expired at ${new Date(at).toISOString()} and is not used. The cluster renews this Secret: if it does not, look at its events, or give the pool a permanent access key, from which Spillway computes a login that does not expire`,
  };
}

const isFor = ({ registry }: RegistryCredential, other: string): boolean => hostOf(registry) === hostOf(other);
