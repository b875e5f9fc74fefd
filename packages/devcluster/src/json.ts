/** Parses JSON that this package wrote itself, or whose shape an API's contract gives. Nothing is checked. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names what it knows to be there
export function parseJson<T>(text: string): T {
  const value: T = JSON.parse(text);
  return value;
}
