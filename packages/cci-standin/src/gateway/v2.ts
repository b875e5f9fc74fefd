import { isObject, listAt, objectAt, textAt, type JsonObject } from '../json.ts';
import type { Call } from '../rules/call.ts';
import { sizeOf } from '../rules/pod-size-v2.ts';
import { storedGroupVersion, type Route } from '../rules/routes.ts';
import { shownVolume } from '../storage/volumes.ts';

// CCI 2.0 shows the same region through groups of its own: what comes in is rewritten to what the API server behind the
// gateway keeps, what goes out is rewritten back.

const billingFinalizer = 'billing.kubernetes.io/podbilling-finalizer';
const sizeAnnotation = 'resource.cci.io/size';

export function storedPath(pathname: string, { groupVersion }: Route): string {
  const stored = storedGroupVersion(groupVersion);
  if (stored === undefined) return pathname;
  const [, , , ...rest] = pathname.split('/').filter((segment) => segment !== '');
  return `/${[stored.includes('/') ? 'apis' : 'api', stored, ...rest].join('/')}`;
}

/** The call as one of CCI 1.0; calls of CCI 1.0 stay as they are. */
export function storedCall(call: Call): Call {
  const stored = storedGroupVersion(call.route.groupVersion);
  if (stored === undefined || !isObject(call.body)) return call;
  const own = call.body['apiVersion'] === call.route.groupVersion ? { apiVersion: stored } : {};
  return { ...call, body: { ...(isPodItself(call.route) ? storedPod(call, call.body) : call.body), ...own } };
}

function storedPod({ method, identity }: Call, pod: JsonObject): JsonObject {
  if (method === 'PUT') return withoutShown(pod);
  if (method !== 'POST') return pod;
  const metadata = objectAt(pod, 'metadata');
  const size = sizeOf(metadata, pod['spec']);
  return {
    ...pod,
    metadata: {
      ...metadata,
      labels: {
        ...objectAt(metadata, 'labels'),
        sys_enterprise_project_id: '0',
        'tenant.kubernetes.io/domain-id': identity.domain.id,
        'tenant.kubernetes.io/project-id': identity.project.id,
      },
      annotations: {
        ...objectAt(metadata, 'annotations'),
        'tenant.cci.io/tenant-id': identity.domain.id,
        ...('size' in size ? { [sizeAnnotation]: size.size } : {}),
      },
    },
  };
}

/** A pod that was read and is written back has what only the gateway shows. */
function withoutShown(pod: JsonObject): JsonObject {
  const finalizers = listAt(pod, 'metadata', 'finalizers').filter((each) => each !== billingFinalizer);
  const { schedulerName: _scheduler, ...spec } = objectAt(pod, 'spec');
  return { ...pod, metadata: { ...objectAt(pod, 'metadata'), finalizers }, spec: { ...spec, ...schedulerOf(pod) } };
}

function schedulerOf(pod: JsonObject): JsonObject {
  const name = textAt(pod, 'spec', 'schedulerName');
  return name === undefined ? {} : { schedulerName: name === 'volcano' ? 'default-scheduler' : name };
}

/** A document of the API server as CCI 2.0 shows it; those of CCI 1.0 stay as they are. */
export function shownDocument(route: Route, document: unknown): unknown {
  const stored = storedGroupVersion(route.groupVersion);
  if (stored === undefined || !isObject(document) || document['apiVersion'] !== stored) return document;
  if (document['kind'] === 'Status') return document;
  const renamed = { ...document, apiVersion: route.groupVersion };
  if (document['items'] === undefined) return shownObject(route, renamed);
  const items = listAt(document, 'items').map((item) => (isObject(item) ? shownObject(route, item) : item));
  return { ...renamed, items };
}

function shownObject({ groupVersion, resource }: Route, object: JsonObject): JsonObject {
  const named = object['apiVersion'] === undefined ? object : { ...object, apiVersion: groupVersion };
  if (resource === 'pods') return shownPod(named);
  if (resource === 'persistentvolumes') return shownVolume(named);
  if (resource === 'networks') return { ...named, status: networkStatus(named) };
  if (resource === 'events') {
    const about = objectAt(named, 'involvedObject');
    return { ...named, involvedObject: about['apiVersion'] === 'v1' ? { ...about, apiVersion: groupVersion } : about };
  }
  return named;
}

function shownPod(pod: JsonObject): JsonObject {
  const metadata = objectAt(pod, 'metadata');
  const isEnding = metadata['deletionTimestamp'] !== undefined;
  const finalizers = [...listAt(metadata, 'finalizers'), ...(isEnding ? [] : [billingFinalizer])];
  return {
    ...pod,
    metadata: { ...metadata, finalizers },
    spec: { ...objectAt(pod, 'spec'), schedulerName: 'volcano' },
  };
}

/** Only Ready and Failed are documented: before, nothing is said. */
function networkStatus(network: JsonObject): JsonObject {
  if (textAt(network, 'status', 'state') !== 'Active') return {};
  const subnetAttrs = listAt(network, 'spec', 'subnets').map((subnet) => ({
    subnetV4ID: textAt(subnet, 'subnetID') ?? '',
  }));
  return { status: 'Ready', subnetAttrs };
}

function isPodItself({ resource, subresource }: Route): boolean {
  return resource === 'pods' && subresource === undefined;
}
