import { isObject, listAt, textAt, type JsonObject } from '../json.ts';
import { discoverable, groupVersions } from '../rules/routes.ts';

/** The API server's discovery document without what CCI does not have. */
export function discoveryOf(groupVersion: string, document: unknown): JsonObject {
  const whole = isObject(document) ? document : {};
  if (groupVersion !== '') {
    const known = discoverable(groupVersion);
    return { ...whole, resources: listAt(whole, 'resources').filter((each) => known.has(textAt(each, 'name') ?? '')) };
  }
  if (whole['groups'] === undefined) return whole;
  return {
    ...whole,
    groups: listAt(whole, 'groups')
      .map(knownVersions)
      .filter((group) => group !== undefined),
  };
}

function knownVersions(group: unknown): JsonObject | undefined {
  if (!isObject(group)) return undefined;
  const versions = listAt(group, 'versions').filter((each) => groupVersions.has(textAt(each, 'groupVersion') ?? ''));
  return versions.length === 0 ? undefined : { ...group, versions, preferredVersion: versions[0] };
}
