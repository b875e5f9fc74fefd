import type { Secret } from '@spillway/kube';
import type { RegistryCredential } from '../../../podspec/images.ts';
import type { Notice } from '../../../podspec/notice.ts';
import { credentialsOf } from '../../../podspec/registry-credentials.ts';
import { decodeText } from '../../../podspec/sources.ts';

/** The only pull Secret that CCI takes. It belongs to the namespace, so every pod of the pool can pull with what is in it. */
export const pullSecretName = 'imagepull-secret';

/** The hosts in it whose logins are ours. All others are left alone: CCI may have put them there. */
const hostsAnnotation = 'spillway.dev/registry-hosts';

/** A login and who asked for it, for messages: "namespace/secret". */
export interface WantedLogin {
  readonly login: RegistryCredential;
  readonly from: string;
}

export interface MergedPullSecret {
  /** What to write; undefined: the Secret is as it should be */
  readonly secret: Secret | undefined;
  /** For the pods of those who asked */
  readonly refused: readonly RefusedLogin[];
}

export interface RefusedLogin {
  readonly from: string;
  readonly registry: string;
  readonly notice: Notice;
}

/**
 * The Secret with the wanted logins, those we no longer need removed. Of two different logins for one host the one that is
 * there already stays, else the first.
 * @param present as it was read; undefined: there is none
 * @param wanted of all pods of the pool, in the order in which they asked
 */
export function mergePullSecret(present: Secret | undefined, wanted: readonly WantedLogin[]): MergedPullSecret {
  const existing = loginsByHost(present);
  const ours = new Set(present?.metadata?.annotations?.[hostsAnnotation]?.split(',').filter((host) => host !== ''));
  const foreign = new Map([...existing].filter(([host]) => !ours.has(host)));

  const chosen = new Map<string, WantedLogin>();
  for (const [host, candidates] of byHost(wanted)) {
    const [first] = candidates;
    const stays = candidates.find(({ login }) => sameLogin(login, existing.get(host)));
    const choice = stays ?? first;
    if (choice !== undefined && !foreign.has(host)) chosen.set(host, choice);
  }

  const refused = wanted.flatMap(({ login, from }) => {
    const host = hostOf(login.registry);
    const owner = chosen.get(host);
    const used = owner?.login ?? foreign.get(host);
    if (sameLogin(login, used)) return [];
    return [{ from, registry: login.registry, notice: conflict(host, from, owner?.from ?? 'CCI') }];
  });

  const logins = new Map([...foreign, ...[...chosen].map(([host, { login }]) => [host, login] as const)]);
  const isSame = sameHosts(ours, chosen) && sameLogins(existing, logins);
  return { secret: isSame ? undefined : makeSecret(present, ours, chosen), refused };
}

function makeSecret(
  present: Secret | undefined,
  ours: ReadonlySet<string>,
  chosen: ReadonlyMap<string, WantedLogin>,
): Secret {
  // Entries of others as they are: they may hold more than a login.
  const foreign = Object.entries(entriesOf(present)).filter(([registry]) => !ours.has(hostOf(registry)));
  const own = [...chosen].map(([host, { login }]) => [host, { auth: base64(`${login.username}:${login.password}`) }]);
  const auths: Record<string, unknown> = Object.fromEntries([...foreign, ...own]);
  const annotations = { ...present?.metadata?.annotations, [hostsAnnotation]: [...chosen.keys()].toSorted().join(',') };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    ...present,
    metadata: { ...present?.metadata, name: pullSecretName, annotations },
    type: present?.type ?? 'kubernetes.io/dockerconfigjson',
    data: { ...present?.data, '.dockerconfigjson': base64(JSON.stringify({ auths })) },
  };
}

function entriesOf(secret: Secret | undefined): object {
  try {
    const config: unknown = JSON.parse(decodeText(secret?.data?.['.dockerconfigjson'] ?? ''));
    const auths = typeof config === 'object' && config !== null && 'auths' in config ? config.auths : undefined;
    return typeof auths === 'object' && auths !== null ? auths : {};
  } catch {
    return {};
  }
}

function conflict(host: string, from: string, other: string): Notice {
  return {
    severity: 'Warning',
    reason: 'RegistryLoginConflict',
    message: `The login for ${host} in ${from} is not used: ${other} has another one, and in CCI all pods of a pool share one login for each registry. Use the same login, or another pool`,
  };
}

function loginsByHost(secret: Secret | undefined): Map<string, RegistryCredential> {
  const found = secret === undefined ? undefined : credentialsOf(secret);
  const credentials = found?.ok === true ? found.credentials : [];
  return new Map(credentials.map((login) => [hostOf(login.registry), login]));
}

function byHost(wanted: readonly WantedLogin[]): Map<string, WantedLogin[]> {
  return Map.groupBy(wanted, ({ login }) => hostOf(login.registry));
}

/** Docker writes hosts with a scheme, a version of the API, or neither. */
export const hostOf = (registry: string): string =>
  registry
    .replace(/^https?:\/\//, '')
    .replace(/\/v[12]\/?$/, '')
    .replace(/\/$/, '');

const sameLogin = (a: RegistryCredential, b: RegistryCredential | undefined): boolean =>
  a.username === b?.username && a.password === b.password;

const sameLogins = (a: ReadonlyMap<string, RegistryCredential>, b: ReadonlyMap<string, RegistryCredential>): boolean =>
  a.size === b.size && [...a].every(([host, login]) => sameLogin(login, b.get(host)));

const sameHosts = (a: ReadonlySet<string>, b: ReadonlyMap<string, unknown>): boolean =>
  a.size === b.size && [...a].every((host) => b.has(host));

const base64 = (text: string): string => Buffer.from(text).toString('base64');
