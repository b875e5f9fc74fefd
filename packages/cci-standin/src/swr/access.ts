import type { Named } from '../accounts.ts';

const component = '[a-z0-9]+(?:[._-]+[a-z0-9]+)*';
const inRepository = new RegExp(`^/v2/(${component}(?:/${component})*)/(?:manifests|blobs|tags|referrers)/[^/]+`);

/** The repository in a path of the registry's API; undefined for one that names none (`/v2/`). */
export function repositoryIn(path: string): string | undefined {
  return inRepository.exec(path)?.[1];
}

/** `team` of `team/app` */
export function organizationOf(repository: string): string {
  return repository.slice(0, Math.max(0, repository.indexOf('/')));
}

export interface Organizations {
  /** Id of the project that an organization belongs to; undefined: there is no such organization. */
  ownerOf(organization: string): string | undefined;
  isPublic(repository: string): boolean;
}

export interface RegistryCall {
  readonly method: string;
  readonly repository: string | undefined;
  /** Undefined: without a login */
  readonly login: 'wrong' | Named | undefined;
}

export type Access = 'granted' | 'loginNeeded' | 'loginWrong' | 'denied';

/** Public repositories are there for everybody, all others for the project that owns their organization. */
export function accessOf({ method, repository, login }: RegistryCall, organizations: Organizations): Access {
  if (login === 'wrong') return 'loginWrong';
  const reads = method === 'GET' || method === 'HEAD';
  if (reads && repository !== undefined && organizations.isPublic(repository)) return 'granted';
  if (login === undefined) return 'loginNeeded';
  if (repository === undefined) return 'granted';
  return organizations.ownerOf(organizationOf(repository)) === login.id ? 'granted' : 'denied';
}
