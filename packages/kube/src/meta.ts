import type { OwnerReference } from './generated/index.ts';
import type { KubeObject, ObjectRef } from './resource-type.ts';

// Objects that the server sent always have these; the generated types cannot say so, because objects on their way in
// need not have them. The empty string stands for "not set", as in the API itself.

export const nameOf = (object: KubeObject): string => object.metadata?.name ?? '';
export const namespaceOf = (object: KubeObject): string => object.metadata?.namespace ?? '';
export const uidOf = (object: KubeObject): string => object.metadata?.uid ?? '';
export const resourceVersionOf = (object: KubeObject): string => object.metadata?.resourceVersion ?? '';

/** Versions of one resource grow, and are compared as numbers (KEP-5504). */
export function isOlder(a: KubeObject, b: KubeObject): boolean {
  const [left, right] = [resourceVersionOf(a), resourceVersionOf(b)];
  return left.length === right.length ? left < right : left.length < right.length;
}

/** "namespace/name", or the bare name of a cluster-scoped object. */
export const keyOf = (object: KubeObject): string => objectKey(namespaceOf(object), nameOf(object));
export const objectKey = (namespace: string, name: string): string =>
  namespace === '' ? name : `${namespace}/${name}`;

export function refOf(object: KubeObject): ObjectRef {
  const namespace = namespaceOf(object);
  return namespace === '' ? { name: nameOf(object) } : { namespace, name: nameOf(object) };
}

/** The owner whose controller manages this object, if any. */
export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata?.ownerReferences?.find((owner) => owner.controller === true);
