import type { Secret } from '@spillway/kube';
import type { RegistryCredential } from '../../../podspec/images.ts';
import type { Notice } from '../../../podspec/notice.ts';
import { credentialsOf } from '../../../podspec/registry-credentials.ts';
import { decodeText } from '../../../podspec/sources.ts';
import { BackendError } from '../../backend.ts';
import { parseJson } from '../../trusted.ts';

/** The only pull Secret that CCI takes. It belongs to the namespace, so every pod of the pool can pull with what is in it. */
export const pullSecretName = 'imagepull-secret';

/** The hosts in it whose logins are ours, and where these come from. All others are left alone: CCI may have put them there. */
const originsAnnotation = 'spillway.dev/registry-logins';

/** A login and who asked for it, for messages: "namespace/secret". */
export interface WantedLogin {
  readonly login: RegistryCredential;
  readonly from: string;
  /** Milliseconds since the epoch. Absent: it stays good */
  readonly expiresAt?: number;
}

export interface MergedPullSecret {
  /** What to write; undefined: the Secret is as it should be */
  readonly secret: Secret | undefined;
  readonly refused: readonly Notice[];
}

/** What is known of a login of ours: all that brought it, and when it ends. */
interface Origin {
  readonly from: readonly string[];
  readonly expiresAt?: number;
}

interface OwnLogin extends Origin {
  readonly login: RegistryCredential;
}

/**
 * The Secret with what is asked for, without those of our logins that nobody needs any more. A login takes the place of the
 * one that came from the same origin. Of two different logins for one host from different origins the one that is there stays,
 * else the first.
 * @param present as it was read; undefined: there is none
 * @param isNeeded by others than who asks
 * @throws BackendError when there is something that cannot be read, and would be lost
 */
export function mergePullSecret(
  present: Secret | undefined,
  asked: readonly WantedLogin[],
  isNeeded: (login: RegistryCredential) => boolean = () => true,
): MergedPullSecret {
  const config = configOf(present);
  const logins = loginsByHost(present);
  const origins = originsOf(present);
  const own = new Map<string, OwnLogin>();
  for (const [host, origin] of origins) {
    const login = logins.get(host);
    if (login && isNeeded(login)) own.set(host, { ...origin, login });
  }
  const refused: Notice[] = [];
  for (const wanted of asked) {
    const host = hostOf(wanted.login.registry);
    const foreign = origins.has(host) ? undefined : logins.get(host);
    const there = own.get(host);
    const next = foreign === undefined ? settle(there, wanted) : undefined;
    if (next) own.set(host, next);
    else if (!sameLogin(wanted.login, foreign)) refused.push(conflict(host, wanted.from, there?.from[0] ?? 'CCI'));
  }
  const secret = makeSecret(present, config, origins, own);
  const isSame = contentOf(present) === contentOf(secret);
  return { secret: isSame ? undefined : secret, refused };
}

/** Of whomever. */
export function hasLogins(secret: Secret): boolean {
  return Object.keys(configOf(secret).auths).length > 0;
}

/** What is used from now on; undefined: what is there, and not what is wanted. */
function settle(there: OwnLogin | undefined, { login, from, expiresAt }: WantedLogin): OwnLogin | undefined {
  const next = { login, from: [from], ...(expiresAt !== undefined && { expiresAt }) };
  if (there === undefined) return next;
  if (sameLogin(login, there.login)) return { ...there, from: [...new Set([...there.from, from])] };
  if (!there.from.includes(from)) return undefined;
  const isOlder = there.expiresAt !== undefined && expiresAt !== undefined && expiresAt < there.expiresAt;
  return isOlder ? there : next;
}

function makeSecret(
  present: Secret | undefined,
  config: PullConfig,
  origins: ReadonlyMap<string, Origin>,
  own: ReadonlyMap<string, OwnLogin>,
): Secret {
  // Entries of others as they are: they may hold more than a login.
  const foreign = Object.entries(config.auths).filter(([registry]) => !origins.has(hostOf(registry)));
  const ours = [...own]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([host, { login }]) => [host, { auth: base64(`${login.username}:${login.password}`) }] as const);
  const auths = Object.fromEntries([...foreign, ...ours]);
  const said = Object.fromEntries([...own].map(([host, { login: _login, ...origin }]) => [host, origin]));
  const annotations = { ...present?.metadata?.annotations, [originsAnnotation]: JSON.stringify(said) };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    ...present,
    metadata: { ...present?.metadata, name: pullSecretName, annotations },
    type: present?.type ?? 'kubernetes.io/dockerconfigjson',
    data: { ...present?.data, [config.key]: base64(JSON.stringify(config.write(auths))) },
  };
}

interface PullConfig {
  readonly key: '.dockercfg' | '.dockerconfigjson';
  readonly auths: Readonly<Record<string, unknown>>;
  readonly write: (auths: object) => object;
}

/** Of either shape: the type of a Secret cannot be changed. */
function configOf(present: Secret | undefined): PullConfig {
  const key = present?.type === 'kubernetes.io/dockercfg' ? '.dockercfg' : '.dockerconfigjson';
  const text = decodeText(present?.data?.[key] ?? '');
  const config = text === '' ? {} : readObject(text);
  if (config === undefined) {
    throw new BackendError('conflict', `the Secret ${pullSecretName} in CCI does not contain JSON in ${key}`, {
      remedy: 'Correct the Secret, or delete it if it is not needed',
    });
  }
  if (key === '.dockercfg') return { key, auths: config, write: (auths) => auths };
  const { auths } = config;
  return { key, auths: isRecord(auths) ? auths : {}, write: (next) => ({ ...config, auths: next }) };
}

function originsOf(present: Secret | undefined): Map<string, Origin> {
  const said = readObject(present?.metadata?.annotations?.[originsAnnotation] ?? '') ?? {};
  return new Map(
    Object.entries(said).map(([host, origin]): [string, Origin] => {
      const { from, expiresAt } = isRecord(origin) ? origin : {};
      return [
        host,
        {
          from: Array.isArray(from) ? from.map(String) : [],
          ...(typeof expiresAt === 'number' && { expiresAt }),
        },
      ];
    }),
  );
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson<unknown>(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function conflict(host: string, from: string, other: string): Notice {
  return {
    severity: 'Warning',
    reason: 'RegistryLoginConflict',
    message: `The login for ${host} in ${from} is not used: ${other} has a different one, and in CCI all pods of a pool share one login for each registry. Use the same login, or another pool`,
  };
}

function loginsByHost(secret: Secret | undefined): Map<string, RegistryCredential> {
  const found = secret === undefined ? undefined : credentialsOf(secret);
  const credentials = found?.ok === true ? found.credentials : [];
  return new Map(credentials.map((login) => [hostOf(login.registry), login]));
}

/** Docker writes hosts with a scheme, a version of the API, or neither; and Docker Hub by several names. */
export function hostOf(registry: string): string {
  const bare = registry
    .replace(/^https?:\/\//, '')
    .replace(/\/v[12]\/?$/, '')
    .replace(/\/$/, '');
  return bare.replace(/^(?:index|registry-1)\.docker\.io(?=$|\/)/, 'docker.io');
}

const sameLogin = (a: RegistryCredential, b: RegistryCredential | undefined): boolean =>
  a.username === b?.username && a.password === b.password;

/** What makes one state of the Secret different from another. */
function contentOf(secret: Secret | undefined): string {
  const logins = [...loginsByHost(secret)].map(([host, { username, password }]): string[] => [
    host,
    username,
    password,
  ]);
  const origins = [...originsOf(secret)].map(([host, origin]): string[] => [host, JSON.stringify(origin)]);
  return JSON.stringify([logins, origins].map((each) => each.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))));
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
