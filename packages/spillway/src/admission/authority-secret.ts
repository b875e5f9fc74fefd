import { isAlreadyExists, isConflict, isNotFound, type KubeClient, type Secret, secrets } from '@spillway/kube';
import { parseJson } from '../placement/rules/admitted.ts';
import { makeAuthority } from './authority.ts';
import { type Authority, type Lives, needsSuccessor, trusted } from './rotation.ts';

export interface AuthoritySecretOptions {
  readonly installation: string;
  readonly client: Pick<KubeClient, 'resource'>;
  readonly namespace: string;
  readonly lives: Lives;
  readonly now: () => number;
}

export const secretName = (installation: string): string => `${installation}-admission-authority`;
const field = 'authorities.json';

/** The authorities that all replicas share. Makes the first and each next one; who comes second takes over what the first made. */
export async function sharedAuthorities(
  options: AuthoritySecretOptions,
  signal: AbortSignal,
): Promise<readonly Authority[]> {
  const { client, namespace, installation, lives, now } = options;
  const name = secretName(installation);
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
  return text === undefined ? [] : parseJson<Authority[]>(Buffer.from(text, 'base64').toString('utf8'));
}
