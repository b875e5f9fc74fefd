import { apiRefusal, type Refusal } from '../refusal.ts';

/** What a request is about, read from its path. */
export interface Route {
  /** "v1", "apps/v1" */
  readonly groupVersion: string;
  /** "pods"; "" for discovery */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

interface Offer {
  readonly groupVersion: string;
  readonly resource: string;
  readonly namespaced: boolean;
  /** Methods on the collection */
  readonly collection: readonly string[];
  /** Methods on one object */
  readonly object: readonly string[];
  readonly subresources: Readonly<Record<string, readonly string[]>>;
}

const collection = ['GET', 'POST', 'DELETE'];
const object = ['GET', 'PUT', 'PATCH', 'DELETE'];
const read = ['GET'];

function offer(groupVersion: string, resource: string, differences: Partial<Offer> = {}): Offer {
  return { groupVersion, resource, namespaced: true, collection, object, subresources: {}, ...differences };
}

const scalable = { subresources: { status: read, scale: ['GET', 'PUT', 'PATCH'] } };

/** Served by the gateway itself. */
export const metricsGroupVersion = 'metrics.k8s.io/v1beta1';

/** All that CCI 1.0 documents and that this region has. */
const offersOfV1: readonly Offer[] = [
  offer('v1', 'namespaces', { namespaced: false, collection: ['GET', 'POST'], object: ['GET', 'DELETE'] }),
  offer('v1', 'pods', { subresources: { status: read, log: read, exec: ['GET', 'POST'] } }),
  offer('v1', 'configmaps'),
  offer('v1', 'secrets'),
  offer('v1', 'events'),
  offer('v1', 'services', { subresources: { status: read } }),
  offer('v1', 'endpoints', { collection: read, object: read }),
  offer('v1', 'persistentvolumeclaims', { subresources: { status: read } }),
  offer('v1', 'extended-persistentvolumeclaims', { collection: ['GET', 'POST'], object: [] }),
  offer('v1', 'resourcequotas', { collection: read, object: read, subresources: { status: read } }),
  offer('apps/v1', 'deployments', scalable),
  offer('apps/v1', 'statefulsets', scalable),
  offer('apps/v1', 'replicasets', scalable),
  offer('batch/v1', 'jobs', { subresources: { status: read } }),
  offer('networking.cci.io/v1beta1', 'networks', { subresources: { status: read } }),
  offer(metricsGroupVersion, 'pods', { collection: read, object: read }),
  offer('storage.k8s.io/v1', 'storageclasses', { namespaced: false, collection: read, object: read }),
];

/** The groups of CCI 2.0, and where the same objects are in CCI 1.0. */
const stored: Readonly<Record<string, string>> = { 'cci/v2': 'v1', 'yangtse/v2': 'networking.cci.io/v1beta1' };

/** Where an object of CCI 2.0 is kept; undefined for the groups of CCI 1.0. */
export function storedGroupVersion(groupVersion: string): string | undefined {
  return stored[groupVersion];
}

export const groupsOfV2: readonly string[] = Object.keys(stored);

/** What CCI 2.0 documents in place of those. */
const offersOfV2: readonly Offer[] = [
  offer('cci/v2', 'namespaces', { namespaced: false, collection: ['GET', 'POST'], object: ['GET', 'DELETE'] }),
  offer('cci/v2', 'pods', { subresources: { log: read, exec: ['GET', 'POST'] } }),
  offer('cci/v2', 'configmaps'),
  offer('cci/v2', 'secrets'),
  offer('cci/v2', 'events'),
  offer('cci/v2', 'persistentvolumeclaims'),
  offer('cci/v2', 'persistentvolumes', { namespaced: false, collection: ['GET', 'POST'], object: ['GET', 'DELETE'] }),
  offer('yangtse/v2', 'networks'),
];

export const offers: readonly Offer[] = [...offersOfV1, ...offersOfV2];

export const groupVersions: ReadonlySet<string> = new Set(offers.map(({ groupVersion }) => groupVersion));

/** The resources that discovery may name, with subresources as "pods/log". */
export function discoverable(groupVersion: string): ReadonlySet<string> {
  return new Set(
    offers
      .filter((each) => each.groupVersion === groupVersion)
      .flatMap(({ resource, subresources }) => [
        resource,
        ...Object.keys(subresources).map((subresource) => `${resource}/${subresource}`),
      ]),
  );
}

/** 404 for paths that CCI does not have, 405 for methods that it does not have there. */
export function findRoute(method: string, pathname: string): Route | Refusal {
  const route = parse(pathname);
  if (route === undefined) return notFound();
  if (route.resource === '') return method === 'GET' ? route : notAllowed(method);
  const found = offers.find((each) => each.groupVersion === route.groupVersion && each.resource === route.resource);
  if (found === undefined) return notFound();
  // Only pods can be listed in all namespaces at once, and only in CCI 1.0.
  const everywhere = found.namespaced && route.namespace === undefined;
  if (everywhere && (route.resource !== 'pods' || route.groupVersion !== 'v1' || route.name !== undefined)) {
    return notFound();
  }
  const methods = everywhere ? read : methodsOf(found, route);
  if (methods === undefined) return notFound();
  return methods.includes(method) ? route : notAllowed(method);
}

function methodsOf(found: Offer, { name, subresource }: Route): readonly string[] | undefined {
  if (subresource !== undefined) return found.subresources[subresource];
  return name === undefined ? found.collection : found.object;
}

function parse(pathname: string): Route | undefined {
  const [root, ...rest] = pathname
    .split('/')
    .filter((segment) => segment !== '')
    .map(decodeSegment);
  if (rest.some((segment) => segment === '..' || segment === '.' || segment.includes('/'))) return undefined;
  if (root === 'api') {
    const [version, ...path] = rest;
    if (version === undefined) return { groupVersion: '', resource: '' };
    return version === 'v1' ? resourceRoute('v1', path) : undefined;
  }
  if (root !== 'apis') return undefined;
  const [group, version, ...path] = rest;
  if (group === undefined) return { groupVersion: '', resource: '' };
  if (version === undefined) return undefined;
  return resourceRoute(`${group}/${version}`, path);
}

function resourceRoute(groupVersion: string, path: readonly string[]): Route | undefined {
  if (!groupVersions.has(groupVersion)) return undefined;
  const [first = '', namespace, resource, ...rest] = path;
  if (first === 'namespaces' && namespace !== undefined && resource !== undefined) {
    return { ...routeTo(groupVersion, resource, rest), namespace };
  }
  return routeTo(groupVersion, first, path.slice(1));
}

function routeTo(groupVersion: string, resource: string, [name, subresource]: readonly string[]): Route {
  return {
    groupVersion,
    resource,
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // As no name may be.
    return '..';
  }
}

function notFound(): Refusal {
  return apiRefusal(404, 'NotFound', 'the server could not find the requested resource');
}

function notAllowed(method: string): Refusal {
  return apiRefusal(405, 'MethodNotAllowed', `the server does not allow ${method} on the requested resource`);
}
