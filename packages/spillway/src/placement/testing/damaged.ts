import * as fc from 'fast-check';

/** Something that JSON can say, as often as not what the rules know, in the wrong place. */
const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    null,
    [],
    {},
    [null],
    [[]],
    [{}],
    { key: 7 },
    true,
    -1,
    0.5,
    1e300,
    '',
    '1e400',
    '-1',
    String(2n ** 63n),
    String(-(2n ** 63n)),
    '½',
    'ünï/网络~1\u0000',
    '__proto__',
    'enforce',
    'x'.repeat(1000),
  ),
);

/** The object, of which one field anywhere, or a few, is something else. */
export function damaged(object: unknown): fc.Arbitrary<unknown> {
  const paths = pathsIn(object, []);
  const damage = fc.record({ path: fc.constantFrom(...paths), value: anything });
  return fc
    .array(damage, { minLength: 1, maxLength: 3 })
    .map((list) => list.reduce((whole, { path, value }) => replaced(whole, path, value), object));
}

function pathsIn(value: unknown, path: readonly string[]): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, below]) => pathsIn(below, [...path, key]))];
}

function replaced(value: unknown, [first, ...rest]: readonly string[], by: unknown): unknown {
  if (first === undefined) return by;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (String(index) === first ? replaced(item, rest, by) : item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, below]) => [key, key === first ? replaced(below, rest, by) : below]),
  );
}
