import type { Secret } from '@spillway/kube';
import type { ImageReference, RegistryCredential } from './images.ts';
import { decodeText, ownValue } from './sources.ts';

export type SecretCredentials =
  | { readonly ok: true; readonly credentials: readonly RegistryCredential[] }
  | { readonly ok: false; readonly error: string };

/** The logins in an image pull Secret of either shape: `.dockerconfigjson` or the older `.dockercfg`. */
export function credentialsOf(secret: Secret): SecretCredentials {
  const modern = ownValue(secret.data, '.dockerconfigjson');
  const legacy = ownValue(secret.data, '.dockercfg');
  const encoded = modern ?? legacy;
  if (encoded === undefined) return { ok: false, error: 'has neither .dockerconfigjson nor .dockercfg' };
  let config: unknown;
  try {
    config = JSON.parse(decodeText(encoded));
  } catch {
    return { ok: false, error: 'is not valid JSON' };
  }
  const auths = modern === undefined ? config : isRecord(config) ? config['auths'] : undefined;
  if (!isRecord(auths)) return { ok: false, error: 'has no registries' };
  const credentials = Object.entries(auths).flatMap(([registry, entry]) => {
    const login = isRecord(entry) ? loginOf(entry) : undefined;
    return login ? [{ registry, ...login }] : [];
  });
  return { ok: true, credentials };
}

/**
 * The credentials to try for an image, the most specific first, as the kubelet matches them: `*` stands for one part of the
 * host name, a path is a prefix, the port must be equal. Docker Hub goes by several names.
 */
export function matchingCredentials(
  image: Pick<ImageReference, 'registry' | 'repository'>,
  credentials: readonly RegistryCredential[],
): RegistryCredential[] {
  return credentials
    .map((credential) => ({ credential, pattern: patternOf(credential.registry) }))
    .filter(({ pattern }) => matches(pattern, image))
    .toSorted((a, b) => b.pattern.path.length - a.pattern.path.length || wildcards(a.pattern) - wildcards(b.pattern))
    .map(({ credential }) => credential);
}

interface Pattern {
  readonly host: string;
  readonly path: string;
}

function patternOf(registry: string): Pattern {
  const bare = registry.replace(/^https?:\/\//, '');
  const slash = bare.indexOf('/');
  const host = slash === -1 ? bare : bare.slice(0, slash);
  const path =
    slash === -1
      ? ''
      : bare
          .slice(slash)
          .replace(/^\/v[12]\//, '/')
          .replace(/\/$/, '');
  return { host: isDockerHub(host) ? 'docker.io' : host, path };
}

function isDockerHub(host: string): boolean {
  return host === 'index.docker.io' || host === 'registry-1.docker.io' || host === 'docker.io';
}

function matches(
  { host, path }: Pattern,
  { registry, repository }: Pick<ImageReference, 'registry' | 'repository'>,
): boolean {
  const [name = '', port = ''] = splitPort(host);
  const [wantedName = '', wantedPort = ''] = splitPort(registry);
  const parts = name.split('.');
  const wanted = wantedName.split('.');
  return (
    port === wantedPort &&
    parts.length === wanted.length &&
    parts.every((part, index) => globMatches(part, wanted[index] ?? '')) &&
    `/${repository}`.startsWith(path)
  );
}

/** Like Go's path.Match for what occurs in host names: `*` is any run of characters. */
function globMatches(glob: string, text: string): boolean {
  const pieces = glob.split('*').map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pieces.join('[^/]*')}$`).test(text);
}

function wildcards({ host }: Pattern): number {
  return host.split('*').length - 1;
}

function splitPort(host: string): string[] {
  const colon = host.lastIndexOf(':');
  return colon === -1 || host.endsWith(']') ? [host, ''] : [host.slice(0, colon), host.slice(colon + 1)];
}

function loginOf(entry: Record<string, unknown>): { username: string; password: string } | undefined {
  const { username, password, auth } = entry;
  if (typeof username === 'string' && typeof password === 'string' && username !== '') return { username, password };
  if (typeof auth !== 'string') return undefined;
  const decoded = decodeText(auth);
  const colon = decoded.indexOf(':');
  // Some tools pad the decoded pair with NUL characters, which Docker strips.
  if (colon <= 0) return undefined;
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
