import { z } from 'zod';
import { configSchema } from './schema.ts';

/** One field of the configuration file, for explanations, the reference in docs/ and error messages. */
export interface Field {
  /** E.g. `pools[].backend.region`; the root is the empty string. */
  readonly path: string;
  /** For people: "text", "whole number from 1 to 65535", "one of: debug, info". */
  readonly type: string;
  readonly required: boolean;
  /** As YAML writes it on one line. */
  readonly default?: string;
  readonly description: string;
  /** Which variant of a choice the field belongs to, e.g. `type: cci`. */
  readonly variant?: string;
}

/** The part of JSON Schema that zod produces for our schema. */
interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** The published JSON Schema of the configuration file, for editors. */
export function jsonSchema(): Record<string, unknown> {
  return { title: 'Spillway configuration', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}

let allFields: readonly Field[] | undefined;

/** All fields, parents before children, in the order of the schema. */
export function fields(): readonly Field[] {
  allFields ??= Array.from(walk('', jsonSchema() as JsonSchema, true));
  return allFields;
}

/** @param path `pools[0].name`, `pools[].name` and `pools.name` are the same field. Variants give several. */
export function findFields(path: string): readonly Field[] {
  const wanted = withoutIndexes(path);
  return fields().filter((field) => withoutIndexes(field.path) === wanted);
}

/** Fields right below a path. */
export function childrenOf(path: string): readonly Field[] {
  const parent = withoutIndexes(path);
  return fields().filter((field) => field.path !== '' && parentOf(withoutIndexes(field.path)) === parent);
}

function withoutIndexes(path: string): string {
  return path.replaceAll(/\[\d*\]/g, '');
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}

export function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function* walk(path: string, schema: JsonSchema, required: boolean, variant?: string): Generator<Field> {
  yield {
    path,
    type: typeOf(schema),
    required,
    ...(isShown(schema.default) ? { default: oneLine(schema.default) } : {}),
    description: schema.description ?? '',
    ...(variant === undefined ? {} : { variant }),
  };
  const below = schema.items ?? schema;
  const prefix = schema.items ? `${path}[].` : path === '' ? '' : `${path}.`;
  yield* walkProperties(prefix, below, variant);
  for (const choice of below.oneOf ?? []) yield* walkProperties(prefix, choice, discriminatorOf(choice));
}

function* walkProperties(prefix: string, schema: JsonSchema, variant: string | undefined): Generator<Field> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    yield* walk(`${prefix}${name}`, property, schema.required?.includes(name) === true, variant);
  }
}

function discriminatorOf(schema: JsonSchema): string | undefined {
  const entry = Object.entries(schema.properties ?? {}).find(([, property]) => property.const !== undefined);
  return entry && `${entry[0]}: ${String(entry[1].const)}`;
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return `one of: ${schema.enum.join(', ')}`;
  if (schema.oneOf)
    return `one of: ${schema.oneOf.map((choice) => discriminatorOf(choice) ?? typeOf(choice)).join(', ')}`;
  if (schema.anyOf?.some(({ type }) => type === 'object')) return 'file or section';
  // Other choices without a name are text or number.
  if (schema.anyOf) return 'quantity';
  switch (schema.type) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `whole number${rangeOf(schema)}`;
    case 'number':
      return `number${rangeOf(schema)}`;
    case 'array':
      return `list of ${schema.items ? plural(typeOf(schema.items)) : 'values'}`;
    default:
      return typeof schema.additionalProperties === 'object' ? 'map of text to text' : 'section';
  }
}

function plural(type: string): string {
  return type === 'section' ? 'sections' : type;
}

function rangeOf({ minimum, maximum }: JsonSchema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  return maximum === undefined ? '' : ` up to ${maximum}`;
}

function isShown(value: unknown): boolean {
  return value !== undefined && oneLine(value) !== '{}';
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, entry]) => `${key}: ${oneLine(entry)}`)
      .join(', ')}}`;
  }
  return String(value);
}
