import { isObject, listAt, objectAt, type JsonObject } from '../json.ts';
import type { Route } from '../rules/routes.ts';

/** Kinds that describe pods in a template. */
const workloads: readonly string[] = ['deployments', 'statefulsets', 'replicasets', 'jobs'];

/** Whether bodies and answers of a route describe pods. */
export function describesPods({ resource, subresource }: Route): boolean {
  return (
    (resource === 'pods' || workloads.includes(resource)) && (subresource === undefined || subresource === 'status')
  );
}

/** An object with its pod, which is itself or its template, changed; also one that is a part of an object, as in a patch. */
export function withPod({ resource }: Route, object: JsonObject, change: (pod: JsonObject) => JsonObject): JsonObject {
  if (resource === 'pods') return change(object);
  const spec = objectAt(object, 'spec');
  return isObject(spec['template']) ? { ...object, spec: { ...spec, template: change(spec['template']) } } : object;
}

/** An answer of the API server, an object, a list or a table, with its pods changed. */
export function withPods(route: Route, document: unknown, change: (pod: JsonObject) => JsonObject): unknown {
  if (!isObject(document) || document['kind'] === 'Status') return document;
  const each = (object: unknown): unknown => (isObject(object) ? withPod(route, object, change) : object);
  if (document['kind'] === 'Table') {
    const rows = listAt(document, 'rows').map((row) => (isObject(row) ? { ...row, object: each(row['object']) } : row));
    return { ...document, rows };
  }
  if (document['items'] !== undefined) return { ...document, items: listAt(document, 'items').map(each) };
  return each(document);
}
