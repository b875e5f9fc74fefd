export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a stream is missing');
  return value;
}
