import { isAlreadyExists, isConflict, isNotFound, type KubeClient, type Secret, secrets } from '@spillway/kube';
import { makeAuthority } from './authority.ts';
import { type Authority, type Lives, needsSuccessor, trusted } from './rotation.ts';

export interface AuthoritySecretOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  /** Of the Secret that holds them. */
  readonly namespace: string;
  readonly name: string;
  readonly lives: Lives;
  readonly now: () => number;
}

const field = 'authorities.json';

/** The authorities that all replicas share. Makes the first and each next one; who comes second takes over what the first made. */
export async function sharedAuthorities(
  options: AuthoritySecretOptions,
  signal: AbortSignal,
): Promise<readonly Authority[]> {
  const { client, namespace, name, lives, now } = options;
  const resource = client.resource(secrets);
  for (;;) {
    signal.throwIfAborted();
    const secret = await resource.get({ namespace, name }, { signal }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const known = authoritiesIn(secret);
    if (!needsSuccessor(known, now())) return known;
    const from = now();
    const to = from + lives.authorityMs;
    const authorities = [...trusted(known, from), { ...(await makeAuthority({ from, to })), from, to }];
    const data = { [field]: Buffer.from(JSON.stringify(authorities)).toString('base64') };
    const metadata = secret?.metadata ?? { namespace, name };
    try {
      await (secret === undefined
        ? resource.create({ metadata, data }, { signal, retry: false })
        : resource.replace({ metadata, data }, { signal, retry: false }));
    } catch (error) {
      // Another replica was faster: what it wrote counts.
      if (!isAlreadyExists(error) && !isConflict(error)) throw error;
    }
  }
}

function authoritiesIn(secret: Secret | undefined): readonly Authority[] {
  const text = secret?.data?.[field];
  if (text === undefined) return [];
  const authorities: readonly Authority[] = JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
  return authorities;
}
