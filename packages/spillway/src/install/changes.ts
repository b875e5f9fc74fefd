import type { KubeObject } from '@spillway/kube';
import { parse } from 'yaml';

/** What an installation changes of one object in the cluster. */
export interface Change {
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly change: 'created' | 'changed' | 'removed';
  /** Only of what is changed. */
  readonly fields: readonly FieldChange[];
}

export interface FieldChange {
  /** E.g. `spec.template.spec.containers[0].image`. */
  readonly path: string;
  /** Absent: the field is added. */
  readonly from?: unknown;
  /** Absent: the field is taken away. */
  readonly to?: unknown;
}

const ofServer = new Set([
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]);

/** @param before absent: it does not exist. @returns undefined when nothing changes */
export function changeOf(before: KubeObject | undefined, after: KubeObject): Change | undefined {
  if (before === undefined) return { ...identityOf(after), change: 'created', fields: [] };
  const fields = fieldChanges(comparable(before), comparable(after));
  if (fields.length === 0) return undefined;
  const isSecret = after.kind === 'Secret';
  return { ...identityOf(after), change: 'changed', fields: isSecret ? fields.map(({ path }) => ({ path })) : fields };
}

export function identityOf({ kind = '', metadata }: KubeObject): Pick<Change, 'kind' | 'namespace' | 'name'> {
  return { kind, namespace: metadata?.namespace, name: metadata?.name ?? '' };
}

function comparable(object: KubeObject): object {
  const { apiVersion: _, kind: __, metadata = {}, ...rest } = object;
  const kept = Object.entries(metadata).filter(([field]) => !ofServer.has(field));
  const content = Object.entries(rest).filter(([field]) => field !== 'status');
  return { metadata: Object.fromEntries(kept), ...Object.fromEntries(content) };
}

function fieldChanges(before: unknown, after: unknown, path = ''): FieldChange[] {
  if (before === after) return [];
  const [from, to] = [structureOf(path, before), structureOf(path, after)];
  if (isList(from) && isList(to)) {
    return Array.from({ length: Math.max(from.length, to.length) }, (_, index) =>
      fieldChanges(from[index], to[index], `${path}[${index}]`),
    ).flat();
  }
  if (isRecord(from) && isRecord(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])];
    return keys.flatMap((key) => fieldChanges(from[key], to[key], joined(path, key)));
  }
  return [{ path, ...(before !== undefined && { from: before }), ...(after !== undefined && { to: after }) }];
}

/** Files of YAML are compared by what they say. */
function structureOf(path: string, value: unknown): unknown {
  if (typeof value !== 'string' || !/\.yaml"?\]?$/.test(path)) return value;
  try {
    return parse(value);
  } catch {
    return value;
  }
}

function joined(path: string, key: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(key)) return path === '' ? key : `${path}.${key}`;
  return `${path}[${JSON.stringify(key)}]`;
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
