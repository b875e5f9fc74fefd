/**
 * Gives a value a type that is known from elsewhere: what we wrote ourselves, or what a published protocol describes, is not
 * checked again. The only unchecked assertions of the folder are here.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function trusted<T>(value: unknown): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as T;
}

/** @throws SyntaxError */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export const parseJson = <T>(text: string): T => trusted<T>(JSON.parse(text));
