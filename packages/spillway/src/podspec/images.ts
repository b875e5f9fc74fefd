/** An image reference with everything that Docker leaves out filled in. */
export interface ImageReference {
  /** E.g. `docker.io`, `registry.example:5000`. */
  readonly registry: string;
  /** E.g. `library/busybox`. */
  readonly repository: string;
  /** Absent only when there is a digest. */
  readonly tag?: string;
  readonly digest?: string;
}

export type ParsedImage =
  | { readonly ok: true; readonly reference: ImageReference }
  | { readonly ok: false; readonly error: string };

const pathComponent = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const registryHost = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::\d+)?$/;
const tagSyntax = /^\w[\w.-]{0,127}$/;
const digestSyntax = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const maxNameLength = 255;

/** Docker's reading of an image name: `busybox` is `docker.io/library/busybox:latest`. */
export function parseImage(text: string): ParsedImage {
  const [named = '', digest, ...rest] = text.split('@');
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const name = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : undefined;

  const { registry, repository } = splitName(name);
  const valid =
    rest.length === 0 &&
    registryHost.test(registry) &&
    `${registry}/${repository}`.length <= maxNameLength &&
    repository.split('/').every((component) => pathComponent.test(component)) &&
    (tag === undefined || tagSyntax.test(tag)) &&
    (digest === undefined || digestSyntax.test(digest));
  if (!valid) return { ok: false, error: `couldn't parse image name "${text}": invalid reference format` };
  const kept = tag ?? (digest === undefined ? 'latest' : undefined);
  return {
    ok: true,
    reference: {
      registry,
      repository,
      ...(kept !== undefined && { tag: kept }),
      ...(digest !== undefined && { digest }),
    },
  };
}

function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const registry = isHost ? first.replace(/^index\.docker\.io$/, 'docker.io') : 'docker.io';
  const path = isHost ? name.slice(slash + 1) : name;
  return { registry, repository: registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path };
}

/** A login for one image registry, from an image pull Secret. */
export interface RegistryCredential {
  /** Registry host with optional port and path prefix, as Docker's config writes it, e.g. `swr.cn-north-4.myhuaweicloud.com`. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}
