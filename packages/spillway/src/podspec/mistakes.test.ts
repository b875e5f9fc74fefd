import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { check } from './mistakes.ts';

const duration = z.union([z.number().min(0), z.strictObject({ minMs: z.number(), maxMs: z.number() })]);
const schema = z.strictObject({
  name: z.string().min(1).max(5).optional(),
  on: z.union([z.enum(['create', 'list']), z.array(z.enum(['create', 'list']))]).optional(),
  kind: z
    .discriminatedUnion('type', [z.object({ type: z.literal('a') }), z.object({ type: z.literal('b') })])
    .optional(),
  wait: duration.optional(),
  port: z.number().int().min(1).optional(),
  address: z.string().regex(/^\d/, { error: 'must be an address' }).optional(),
  list: z
    .array(z.looseObject({ key: z.string() }))
    .min(1)
    .optional(),
  map: z.record(z.string(), z.boolean()).optional(),
  each: z.partialRecord(z.enum(['a', 'b']), duration).optional(),
  pair: z
    .strictObject({ a: z.number().optional() })
    .refine(({ a }) => a !== 1, { error: 'must not be 1' })
    .optional(),
});

function said(value: unknown): string[] {
  const result = check(schema, value);
  return 'mistakes' in result ? result.mistakes.map(({ path, message }) => `${path.join('.')}: ${message}`) : [];
}

test.each<[unknown, string[]]>([
  ['text', [': must be a mapping, but is "text"']],
  [null, [': must be a mapping, but is empty']],
  [{ name: '' }, ['name: must be at least 1 character long, but is empty']],
  [{ name: 'too long' }, ['name: must be at most 5 characters long, but is "too long"']],
  [{ name: 5 }, ['name: must be text, but is 5']],
  [{ name: 'x'.repeat(100) }, ['name: must be at most 5 characters long, but is text of 100 characters']],
  [{ on: 'never' }, ['on: must be one of: create, list or a list, but is "never"']],
  [{ on: ['never'] }, ['on.0: must be one of: create, list, but is "never"']],
  [{ kind: { type: 'c' } }, ['kind.type: must be one of: a, b, but is "c"']],
  [{ kind: {} }, ['kind.type: is required: one of: a, b']],
  [{ kind: [] }, ['kind: must be a mapping, but is an empty list']],
  [{ wait: 'long' }, ['wait: must be a number or a mapping, but is "long"']],
  [{ wait: -1 }, ['wait: must be at least 0, but is -1']],
  [{ wait: { minMs: 1 } }, ['wait.maxMs: is required: a number']],
  [{ wait: { minMs: 1, maxMs: 2, more: 3 } }, ['wait: unknown field "more"']],
  [{ port: 1.5 }, ['port: must be a whole number, but is 1.5']],
  [{ port: Number.NaN }, ['port: must be a number, but is NaN']],
  [{ address: 'x' }, ['address: must be an address, but is "x"']],
  [{ list: [] }, ['list: must be a list of at least 1 item, but is an empty list']],
  [{ list: [{}, 1] }, ['list.0.key: is required: text', 'list.1: must be a mapping, but is 1']],
  [{ map: { a: 'yes' } }, ['map.a: must be true or false, but is "yes"']],
  [{ map: [1, 2] }, ['map: must be a mapping, but is a list of 2 items']],
  [{ each: { c: 1, a: 'x' } }, ['each.a: must be a number or a mapping, but is "x"', 'each: unknown field "c"']],
  [{ pair: { a: 1 } }, ['pair: must not be 1']],
  [{ nobody: 1 }, [': unknown field "nobody"']],
])('of %j it is said: %j', (value, expected) => {
  expect(said(value)).toEqual(expected);
});

test('nothing is said in other words', () => {
  const field = fc.constantFrom(...Object.keys(schema.shape), 'type', 'a', 'key', 'minMs', '__proto__', 'toString');
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(null, '', 'a', 'create', 0, 1.5, -1, Number.NaN, Number.POSITIVE_INFINITY, true, 'x'.repeat(70)),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(field, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      for (const line of said(value)) {
        expect(line).toMatch(/: (must |is required: |unknown field ")/);
        expect(line).not.toMatch(/Invalid|expected|received|undefined|\[object|something else/);
        expect(line).not.toContain('\0');
      }
    }),
    { numRuns: 300 },
  );
});
