/** What a request needs, in the words of a SubjectAccessReview on `nodes/<name>`. */
export interface RequiredAccess {
  readonly verb: string;
  /** One of them is enough; the narrowest comes first (KEP-2862). */
  readonly subresources: readonly string[];
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** As in the kubelet of 1.36, see `GetRequestAttributes` in pkg/kubelet/server/auth.go. */
const subresources: Readonly<Record<string, readonly string[]>> = {
  pods: ['pods', 'proxy'],
  runningpods: ['pods', 'proxy'],
  healthz: ['healthz', 'proxy'],
  configz: ['configz', 'proxy'],
  stats: ['stats'],
  metrics: ['metrics'],
  logs: ['log'],
  checkpoint: ['checkpoint'],
  statusz: ['statusz'],
  flagz: ['configz'],
};

/**
 * Paths that run something or open a connection in a container. WebSocket clients open them with GET, and a right to read
 * must not be enough for that (https://github.com/kubernetes/kubernetes/issues/136550).
 */
const alwaysCreate = new Set(['exec', 'attach', 'portForward', 'run']);

/** @param segments of the path, see `pathSegments` */
export function requiredAccess(method: string, [first = '']: readonly string[]): RequiredAccess {
  const verb = alwaysCreate.has(first) ? 'create' : (verbs[method] ?? method.toLowerCase());
  return { verb, subresources: Object.hasOwn(subresources, first) ? (subresources[first] ?? []) : ['proxy'] };
}
