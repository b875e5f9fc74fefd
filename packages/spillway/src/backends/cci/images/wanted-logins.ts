import type { PodSpec, Secret } from '@spillway/kube';
import { parseImage, type RegistryCredential } from '../../../podspec/images.ts';
import { credentialsOf, matchingCredentials } from '../../../podspec/registry-credentials.ts';
import type { Workload } from '../../backend.ts';
import { hostOf, type WantedLogin } from './pull-secret.ts';

/** The vendor's pull Secret in each namespace of its clusters: it expires, and ours for the same registry does not. */
const vendorsSecret = 'default-secret';

/** Whose login it is that an earlier process put into the Secret. */
export const earlierPod = 'an earlier pod';

/** The logins that a pod brings, and the one for SWR that Spillway has by itself. */
export function loginsOf({ pod, ref, objects }: Workload, swr: RegistryCredential | undefined): WantedLogin[] {
  const brought = (pod.spec?.imagePullSecrets ?? []).flatMap(({ name = '' }): WantedLogin[] => {
    const secret = objects.secrets.get(name);
    const found = secret === undefined ? undefined : credentialsOf(secret);
    if (found?.ok !== true) return [];
    const kept = found.credentials.filter(
      ({ registry }) => name !== vendorsSecret || swr === undefined || !isFor(swr, registry),
    );
    return kept.map((login) => ({ login, from: `${ref.namespace}/${name}` }));
  });
  const needed = brought.filter(({ login }) => isUsed(login, pod.spec));
  const isCovered = swr !== undefined && needed.some(({ login }) => isFor(swr, login.registry));
  if (swr === undefined || isCovered || !isUsed(swr, pod.spec)) return needed;
  return [...needed, { login: swr, from: "Spillway's access key" }];
}

/**
 * What the pull Secret has to hold: what is still needed, as it is known, or else as the Secret has it; and what the next pod
 * asks for. A login of the same origin takes the place of an older one.
 * @param known of earlier pods of this process
 */
export function wantedLogins(
  present: Secret | undefined,
  known: readonly WantedLogin[],
  asked: readonly WantedLogin[],
  isNeeded: (login: RegistryCredential) => boolean,
): WantedLogin[] {
  const older = known.filter(
    ({ login, from }) =>
      isNeeded(login) &&
      !isIn(
        asked.filter((each) => each.from === from),
        login.registry,
      ),
  );
  const found = present === undefined ? undefined : credentialsOf(present);
  const unknown = (found?.ok === true ? found.credentials : [])
    .filter((login) => isNeeded(login) && !isIn(asked, login.registry) && !isIn(older, login.registry))
    .map((login) => ({ login, from: earlierPod }));
  return [...unknown, ...older, ...asked];
}

/** Is there an image that is pulled with it? */
export function isUsed(login: RegistryCredential, spec: PodSpec | undefined): boolean {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].some(({ image = '' }) => {
    const parsed = parseImage(image);
    return parsed.ok && matchingCredentials(parsed.reference, [login]).length > 0;
  });
}

const isIn = (logins: readonly WantedLogin[], registry: string): boolean =>
  logins.some(({ login }) => isFor(login, registry));

const isFor = ({ registry }: RegistryCredential, other: string): boolean => hostOf(registry) === hostOf(other);
