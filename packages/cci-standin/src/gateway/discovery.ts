import { isObject, listAt, textAt, type JsonObject } from '../json.ts';
import { discoverable, groupsOfV2, groupVersions, metricsGroupVersion, storedGroupVersion } from '../rules/routes.ts';

/** The API server's discovery document without what CCI does not have. */
export function discoveryOf(groupVersion: string, document: unknown): JsonObject {
  const whole = isObject(document) ? document : {};
  if (groupVersion !== '') {
    const known = discoverable(groupVersion);
    const own = storedGroupVersion(groupVersion) === undefined ? {} : { groupVersion };
    return {
      ...whole,
      ...own,
      resources: listAt(whole, 'resources').filter((each) => known.has(textAt(each, 'name') ?? '')),
    };
  }
  if (whole['groups'] === undefined) return whole;
  return {
    ...whole,
    groups: [
      ...listAt(whole, 'groups')
        .map(knownVersions)
        .filter((group) => group !== undefined),
      ...[metricsGroupVersion, ...groupsOfV2].map(groupOf),
    ],
  };
}

function knownVersions(group: unknown): JsonObject | undefined {
  if (!isObject(group)) return undefined;
  const versions = listAt(group, 'versions').filter((each) => groupVersions.has(textAt(each, 'groupVersion') ?? ''));
  return versions.length === 0 ? undefined : { ...group, versions, preferredVersion: versions[0] };
}

function groupOf(groupVersion: string): JsonObject {
  const [name, version] = groupVersion.split('/');
  const only = { groupVersion, version };
  return { name, versions: [only], preferredVersion: only };
}
