import type { FieldTable } from '../../podspec/fit/fields.ts';

/** A leaf has a rule of its own, unless one above it lets nothing through. */
export function isCovered(table: FieldTable, [field = '', ...rest]: readonly string[]): boolean {
  const rules = table[field];
  if (rules === undefined) return false;
  if ('fields' in rules) return rest.length === 0 || isCovered(rules.fields, rest);
  return rest.length === 0 || rules.kind === 'dropped' || rules.kind === 'adapted' || rules.kind === 'refused';
}

/** What a document of OpenAPI v3 says of one kind of object. */
export interface Schema {
  readonly properties?: Readonly<Record<string, Property>>;
}

interface Property {
  readonly $ref?: string;
  readonly allOf?: readonly Property[];
  readonly items?: Property;
}

/** Paths of all fields that have none below them. A claim's template is one. */
export function leavesOf(schemas: Readonly<Record<string, Schema>>, name: string, prefix = ''): string[] {
  return Object.entries(schemas[name]?.properties ?? {}).flatMap(([field, property]) => {
    const inner = nameIn(property) ?? '';
    return schemas[inner]?.properties === undefined || field === 'volumeClaimTemplate'
      ? [prefix + field]
      : leavesOf(schemas, inner, `${prefix}${field}.`);
  });
}

function nameIn({ $ref, allOf = [], items }: Property): string | undefined {
  if ($ref !== undefined) return $ref.slice($ref.lastIndexOf('/') + 1);
  const [first] = allOf;
  const inner = first ?? items;
  return inner && nameIn(inner);
}
