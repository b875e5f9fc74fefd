/**
 * Gives a value a type that is known from elsewhere: what the server sends is described by its OpenAPI documents, from
 * which the types come, and is not checked again. The only unchecked assertions of the package are here.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function trusted<T>(value: unknown): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as T;
}

/** @throws SyntaxError */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export const parseJson = <T>(text: string): T => trusted<T>(JSON.parse(text));

/** Of two values from JSON. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => isSameJson(a[key], b[key]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
