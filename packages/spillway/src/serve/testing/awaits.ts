/** How the process that waits for an answer dies. */
export type Moment =
  /** The request never arrived. */
  | 'before'
  /** The request was on its way, and arrives when the next process is at work already. */
  | 'late'
  /** All was done, and nobody heard the answer. */
  | 'after';

const read: readonly Moment[] = ['before', 'after'];
const write: readonly Moment[] = ['before', 'late', 'after'];

/**
 * What the pods of a pool wait for outside of the process. A process that is killed leaves nothing but what it had
 * sent, so a death between two of these is one after the first or before the second.
 */
export const awaits: Readonly<Record<string, Readonly<Record<string, readonly Moment[]>>>> = {
  create: {
    'read ConfigMap': read,
    'read Secret': read,
    'request token': read,
    'prepare backend': read,
    'create instance': write,
  },
  update: { 'update instance': write },
  stop: {
    'stop instance': write,
    'remove instance': write,
    'confirm that pod is gone': read,
    'delete pod': write,
  },
  'status write': {
    'write status': write,
    'write terminal status': write,
  },
  'tolerations of outages': {
    'read default tolerations': read,
    'write tolerations': write,
  },
  sweep: {
    'list instances': read,
    'verify cluster': read,
    'verify orphan': read,
    'remove orphan': write,
  },
};

export interface ApiRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: string;
}

/** By its pod's name: was the pod gone before this process began? */
export type IsOrphan = (name: string) => boolean;

/** Requests of the node, its lease, its events and its certificate; they are nothing to a pod's life. */
const others = /^\w+ (nodes|nodes\/status|leases|events|services|customresourcedefinitions)$/;

/** Undefined: it is nothing that one pod waits for. What is not known is named by itself. */
export function awaitOfApiRequest({ method, path, body }: ApiRequest, isOrphan: IsOrphan): string | undefined {
  const url = new URL(path, 'http://api');
  const [, namespace, plural = path, name, subresource] =
    /^\/(?:api|apis\/[^/]+)\/[^/]+(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
      url.pathname,
    ) ?? [];
  const request = `${method} ${plural}${subresource === undefined ? '' : `/${subresource}`}`;
  if (url.searchParams.has('watch') || others.test(request)) return undefined;
  switch (request) {
    case 'GET configmaps':
      return name === undefined || namespace === 'kube-system' ? undefined : 'read ConfigMap';
    case 'GET secrets':
      return name === undefined ? undefined : 'read Secret';
    case 'POST serviceaccounts/token':
      return 'request token';
    case 'GET namespaces':
      return 'verify cluster';
    case 'GET pods':
      return awaitOfPodList(url.searchParams.get('fieldSelector') ?? '', isOrphan);
    case 'PATCH pods/status':
      return /"phase":"(Succeeded|Failed)"/.test(body) ? 'write terminal status' : 'write status';
    case 'POST pods':
      // A dry run, see default-tolerations.ts.
      return 'read default tolerations';
    case 'PATCH pods':
      return 'write tolerations';
    case 'DELETE pods':
      return 'delete pod';
    default:
      return request;
  }
}

function awaitOfPodList(fieldSelector: string, isOrphan: IsOrphan): string | undefined {
  const [, name] = /metadata\.name=([^,]+)/.exec(fieldSelector) ?? [];
  if (name === undefined) return undefined;
  return isOrphan(name) ? 'verify orphan' : 'confirm that pod is gone';
}

const backendCalls: ReadonlyMap<string, string> = new Map([
  ['prepare', 'prepare backend'],
  ['create', 'create instance'],
  ['update', 'update instance'],
  ['stop', 'stop instance'],
  ['list', 'list instances'],
]);

/** @param name the pod's, if the call is about one */
export function awaitOfBackendCall(call: string, name: string | undefined, isOrphan: IsOrphan): string | undefined {
  if (call === 'remove') return name !== undefined && isOrphan(name) ? 'remove orphan' : 'remove instance';
  return backendCalls.get(call);
}
