import type { JsonPatchOperation } from '@spillway/kube';
import { at, sameKind } from './admitted.ts';

/** RFC 6901 */
export function pointer(...segments: readonly (string | number)[]): string {
  return segments.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export const add = (path: string, value: unknown): JsonPatchOperation => ({ op: 'add', path, value });
export const remove = (path: string): JsonPatchOperation => ({ op: 'remove', path });

/** A patched copy; what is not on the paths is shared. Only `add` and `remove`, of parents that exist. */
export function applyPatch<T>(object: T, operations: readonly JsonPatchOperation[]): T {
  return sameKind(
    object,
    operations.reduce<unknown>((patched, operation) => applyAt(patched, segmentsOf(operation.path), operation), object),
  );
}

function segmentsOf(path: string): readonly string[] {
  return path
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function applyAt(parent: unknown, [first, ...rest]: readonly string[], operation: JsonPatchOperation): unknown {
  if (first === undefined || typeof parent !== 'object' || parent === null) {
    throw new TypeError(`${operation.path}: the parent does not exist`);
  }
  if (Array.isArray(parent)) {
    const items: readonly unknown[] = parent;
    if (rest.length > 0)
      return items.map((item, index) => (index === Number(first) ? applyAt(item, rest, operation) : item));
    if (first === '-' && operation.op === 'add') return [...items, operation.value];
    throw new TypeError(`${operation.path}: only appending to a list is supported`);
  }
  const fields = at<Readonly<Record<string, unknown>>>(parent, []) ?? {};
  if (rest.length > 0) return { ...fields, [first]: applyAt(fields[first], rest, operation) };
  if (operation.op === 'add') return { ...fields, [first]: operation.value };
  const { [first]: _, ...others } = fields;
  return others;
}
