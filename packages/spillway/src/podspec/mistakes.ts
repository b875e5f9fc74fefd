import type { z } from 'zod';
import { counted } from './words.ts';

/** One thing that is wrong with what somebody wrote. */
export interface Mistake {
  readonly kind: 'unknown' | 'missing' | 'wrong';
  readonly path: readonly PropertyKey[];
  /** Of kind `unknown`: the key, which is the fault, and not its value. */
  readonly key?: string;
  /** What is wrong and what is allowed. */
  readonly message: string;
}

/** What belongs at a path, e.g. "a whole number from 1 to 65535"; undefined: the schema's type is all that there is to say. */
type TypeAt = (path: readonly PropertyKey[]) => string | undefined;

type Issue = z.core.$ZodIssue;

/** Stands where a schema has no message of its own. */
const unsaid = '\u0000';

/** Checks a value by a schema. What is wrong is said in plain words: none of zod's reach people. */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  typeAt: TypeAt = () => undefined,
): { readonly data: T } | { readonly mistakes: readonly Mistake[] } {
  const result = schema.safeParse(value, { reportInput: true, error: () => unsaid });
  return result.success ? result : { mistakes: result.error.issues.flatMap((issue) => mistakesOf(issue, [], typeAt)) };
}

/** The first of them, where one line has to do. */
export function mistakeText([first]: readonly Mistake[]): string | undefined {
  return first && [first.path.map(String).join('.'), first.message].filter((part) => part !== '').join(': ');
}

function mistakesOf(issue: Issue, around: readonly PropertyKey[], typeAt: TypeAt): readonly Mistake[] {
  const path = [...around, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ kind: 'unknown', path, key, message: `unknown field ${JSON.stringify(key)}` }));
    case 'invalid_union': {
      const meant = branchOf(issue);
      if (meant) return meant.flatMap((each) => mistakesOf(each, path, typeAt));
      break;
    }
    default:
  }
  const input = inputOf(issue);
  if (issue.message !== unsaid) return [{ kind: 'wrong', path, message: `${issue.message}${butIs(input, issue)}` }];
  const type = typeOf(issue, typeAt(path));
  if (input === undefined) return [{ kind: 'missing', path, message: `is required: ${type}` }];
  return [{ kind: 'wrong', path, message: `must be ${type}, but is ${shown(input)}` }];
}

/** A choice by one field is about that field. */
function inputOf({ input, ...issue }: Issue): unknown {
  const field = 'discriminator' in issue ? issue.discriminator : undefined;
  return field !== undefined && typeof input === 'object' && input !== null ? Reflect.get(input, field) : input;
}

/** Of the choices of a union the one whose type the value has, and that fits best. */
function branchOf({ errors }: z.core.$ZodIssueInvalidUnion): readonly Issue[] | undefined {
  const isOther = ({ path, code }: Issue): boolean =>
    path.length === 0 && (code === 'invalid_type' || code === 'invalid_value' || code === 'invalid_union');
  return errors.filter((issues) => !issues.some(isOther)).toSorted((a, b) => a.length - b.length)[0];
}

const types: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'empty',
};

function typeOf(issue: Issue, known: string | undefined): string {
  switch (issue.code) {
    case 'invalid_type':
      return known ?? types[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of: ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return boundText(issue, known, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return boundText(issue, known, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'invalid_union': {
      if ('options' in issue && Array.isArray(issue.options)) return `one of: ${issue.options.map(String).join(', ')}`;
      const choices = issue.errors.flatMap(([first]) => (first ? typeOf(first, undefined) : []));
      return known ?? [...new Set(choices)].join(' or ');
    }
    case 'invalid_format':
      return `text of the form ${issue.pattern ?? issue.format}`;
    default:
      return known ?? 'something else';
  }
}

function boundText(
  { input, origin }: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
  known: string | undefined,
  bound: string,
  limit: number | bigint,
): string {
  if (typeof input === 'number') return known ?? `${bound} ${limit}`;
  return origin === 'string'
    ? `${bound} ${counted(Number(limit), 'character')} long`
    : `a list of ${bound} ${counted(Number(limit), 'item')}`;
}

/** So that the message is understood without looking into the file. What a schema says of a section says enough. */
function butIs(input: unknown, { message }: Issue): string {
  const isScalar = input !== undefined && (typeof input !== 'object' || input === null);
  return isScalar && message.startsWith('must ') ? `, but is ${shown(input)}` : '';
}

function shown(input: unknown): string {
  if (input === null || input === '') return 'empty';
  if (Array.isArray(input)) return input.length === 0 ? 'an empty list' : `a list of ${counted(input.length, 'item')}`;
  if (typeof input === 'number' || typeof input === 'boolean') return String(input);
  if (typeof input !== 'string') return 'a mapping';
  return input.length > 60 ? `text of ${input.length} characters` : JSON.stringify(input);
}
