import type { ResourceType } from '../resource-type.ts';

export interface ResourcePath {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** Without a namespace: the collection of all namespaces, or a cluster-scoped object. */
export function resourcePath(
  type: Pick<ResourceType<unknown>, 'apiVersion' | 'plural'>,
  { namespace, name, subresource }: ResourcePath,
): string {
  const root = type.apiVersion.includes('/') ? `/apis/${type.apiVersion}` : `/api/${type.apiVersion}`;
  const scope = namespace === undefined || namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${type.plural}${object}${subresource === undefined ? '' : `/${subresource}`}`;
}
