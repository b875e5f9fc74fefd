import type { z } from 'zod';
import { formerBackends } from './backends.ts';
import { childrenOf, findFields, lastSegment } from './fields.ts';
import { nearest } from './suggest.ts';

/** One thing that is wrong with the file, before it has a position. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  /** The key at fault, when it is the key and not its value. */
  readonly key?: string;
  readonly message: string;
}

/** What zod found, in the words of the configuration file. One problem for each mistake. */
export function problemsOf(issues: readonly z.core.$ZodIssue[]): readonly Problem[] {
  const problems = issues.flatMap(problemsOfIssue);
  // A misspelt mandatory field is unknown and missing; the first says it all.
  const misspelt = new Set(problems.flatMap(({ path, meant }) => (meant ? [pathText([...path, meant])] : [])));
  return problems
    .filter(({ path, missing }) => !(missing && misspelt.has(pathText(path))))
    .map(({ path, key, message }) => ({ path, message, ...(key === undefined ? {} : { key }) }));
}

interface FoundProblem extends Problem {
  readonly meant?: string;
  readonly missing?: boolean;
}

function problemsOfIssue(issue: z.core.$ZodIssue): readonly FoundProblem[] {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownField(path, key));
    case 'invalid_type':
      return [typeProblem(issue)];
    case 'invalid_value':
      return [{ path, message: `${shown(issue.input)}must be one of: ${issue.values.map(String).join(', ')}` }];
    case 'invalid_union':
      return [unionProblem(issue)];
    case 'too_big':
    case 'too_small': {
      const type = typeof issue.input === 'number' ? findFields(pathText(path))[0]?.type : undefined;
      const message =
        type === undefined || type === 'quantity' ? plainMessage(issue) : `${shown(issue.input)}must be: ${type}`;
      return [{ path, message }];
    }
    default:
      return [{ path, message: plainMessage(issue) }];
  }
}

function unknownField(path: readonly PropertyKey[], key: string): FoundProblem {
  const allowed = [...new Set(childrenOf(pathText(path)).map((field) => lastSegment(field.path)))];
  const meant = nearest(key, allowed);
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
  const list = allowed.length === 0 ? '' : ` (known here: ${allowed.join(', ')})`;
  return { path, key, message: `unknown field "${key}"${hint}${list}`, ...(meant === undefined ? {} : { meant }) };
}

function typeProblem(issue: z.core.$ZodIssueInvalidType): FoundProblem {
  const expected = findFields(pathText(issue.path))[0]?.type ?? issue.expected;
  // The parser passes `undefined` for what is not there.
  if (issue.input === undefined) return { path: issue.path, missing: true, message: `is required: ${expected}` };
  return { path: issue.path, message: `${shown(issue.input)}must be: ${expected}` };
}

function unionProblem(issue: z.core.$ZodIssueInvalidUnion): FoundProblem {
  const { path } = issue;
  const discriminator = 'discriminator' in issue ? issue.discriminator : undefined;
  if (typeof discriminator === 'string') {
    const former = formerChoice(issue.input, discriminator);
    if (former !== undefined) return { path, message: former };
    const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    return { path, message: `must be one of: ${options.join(', ')}` };
  }
  return { path, message: plainMessage(issue) };
}

function formerChoice(input: unknown, discriminator: string): string | undefined {
  const choice = typeof input === 'object' && input !== null ? Reflect.get(input, discriminator) : undefined;
  return typeof choice === 'string' ? formerBackends.get(choice) : undefined;
}

function plainMessage(issue: z.core.$ZodIssue): string {
  const { message } = issue;
  return `${shown(issue.input)}${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

/** Short values are repeated, so that the message is understood without looking into the file. */
function shown(input: unknown): string {
  if (input === undefined || (typeof input === 'object' && input !== null)) return '';
  const text = JSON.stringify(input);
  return text === undefined || text.length > 60 ? '' : `${text} `;
}

/** `pools[0].name` */
export function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else text += text === '' ? String(segment) : `.${String(segment)}`;
  }
  return text;
}
