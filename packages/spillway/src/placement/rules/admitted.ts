import type { KubeObject, Pod } from '@spillway/kube';

// Objects on their way into the cluster. The API server has checked them against their types before it asks; the
// unchecked assertions about them are here.

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
function trusted<T>(value: unknown): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as T;
}

/** The object, of which the kind was looked at. */
export const asPod = (object: KubeObject): Pod => trusted(object);

/** The field at a path. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function at<T>(object: unknown, path: readonly string[]): T | undefined {
  return trusted(
    path.reduce<unknown>(
      (value, key) => trusted<Record<string, unknown> | null | undefined>(value)?.[key] ?? undefined,
      object,
    ),
  );
}

/** @throws SyntaxError */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export const parseJson = <T>(text: string): T => trusted(JSON.parse(text));

/** What a patch makes of an object is of the same kind. */
export const sameKind = <T>(_of: T, value: unknown): T => trusted(value);
