import type { KubeObject } from '@spillway/kube';

/** https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy: `f:` a field, `k:` an element by its keys, `v:` an element by its value. */
interface FieldSet {
  readonly [step: string]: FieldSet;
}

/**
 * Of an object as the API server shows it, what was applied: the fields that whoever applies owns. Applied again, it restores them and
 * nothing else. Undefined: nobody has applied it.
 *
 * @param isApplier of the name of a field manager, and of what it did
 */
export function appliedFields(
  object: KubeObject,
  isApplier: (manager: string, operation: string) => boolean,
): KubeObject | undefined {
  const sets = (object.metadata?.managedFields ?? []).flatMap(
    ({ manager = '', operation = '', subresource, fieldsV1 }) =>
      subresource === undefined && fieldsV1 !== undefined && isApplier(manager, operation) ? [setOf(fieldsV1)] : [],
  );
  if (sets.length === 0) return undefined;
  const owned: KubeObject = Object(pick(object, sets.reduce(union)));
  const { name, namespace } = object.metadata ?? {};
  return {
    ...owned,
    apiVersion: object.apiVersion ?? '',
    kind: object.kind ?? '',
    metadata: { ...owned.metadata, ...(name !== undefined && { name }), ...(namespace !== undefined && { namespace }) },
  };
}

const setOf = (fields: object): FieldSet => Object(fields);

function union(a: FieldSet, b: FieldSet): FieldSet {
  const steps = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(steps.map((step) => [step, union(a[step] ?? {}, b[step] ?? {})]));
}

/** All of the value where the set says nothing of what is in it. */
function pick(value: unknown, set: FieldSet): unknown {
  const steps = Object.keys(set).filter((step) => step !== '.');
  if (steps.length === 0) return value;
  if (Array.isArray(value)) {
    const elements: readonly unknown[] = value;
    return elements.flatMap((element) => {
      const step = steps.find((each) => names(each, element));
      return step === undefined ? [] : [pick(element, set[step] ?? {})];
    });
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([field, inside]) => {
      const below = set[`f:${field}`];
      return below === undefined ? [] : [[field, pick(inside, below)]];
    }),
  );
}

function names(step: string, element: unknown): boolean {
  const wanted: unknown = JSON.parse(step.slice(2));
  if (step.startsWith('v:')) return element === wanted;
  if (!step.startsWith('k:') || typeof element !== 'object' || element === null) return false;
  return Object.entries(Object(wanted)).every(([key, value]) => Reflect.get(element, key) === value);
}
