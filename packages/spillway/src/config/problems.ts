import type { Mistake } from '../podspec/mistakes.ts';
import { childrenOf, findFields, lastSegment } from './fields.ts';
import { nearest } from './suggest.ts';

/** One thing that is wrong with the file, before it has a position. */
export type Problem = Pick<Mistake, 'path' | 'key' | 'message'>;

/** What belongs at a path of the configuration file, e.g. "a whole number from 1 to 65535". */
export function typeAt(path: readonly PropertyKey[]): string | undefined {
  const type = findFields(pathText(path))[0]?.type;
  return type === undefined || /^(text|true|one of|")/.test(type) ? type : `a ${type}`;
}

/** Mistakes with what helps: which fields there are, and which one was probably meant. One problem for each. */
export function problemsOf(mistakes: readonly Mistake[]): readonly Problem[] {
  const meant = new Map(mistakes.map((mistake) => [mistake, meantBy(mistake)]));
  // A misspelt mandatory field is unknown and missing; the first says it all.
  const misspelt = new Set([...meant].flatMap(([{ path }, key]) => (key ? [pathText([...path, key])] : [])));
  return mistakes
    .filter(({ kind, path }) => kind !== 'missing' || !misspelt.has(pathText(path)))
    .map((mistake) => ({ ...mistake, message: `${mistake.message}${hint(mistake, meant.get(mistake))}` }));
}

function meantBy({ path, key }: Mistake): string | undefined {
  return key === undefined ? undefined : nearest(key, knownAt(path));
}

function hint({ path, key }: Mistake, meant: string | undefined): string {
  const known = key === undefined ? [] : knownAt(path);
  const list = known.length === 0 ? '' : ` (known here: ${known.join(', ')})`;
  return `${meant === undefined ? '' : `; did you mean "${meant}"?`}${list}`;
}

function knownAt(path: readonly PropertyKey[]): readonly string[] {
  return [...new Set(childrenOf(pathText(path)).map((field) => lastSegment(field.path)))];
}

/** `pools[0].name`; what is no name is quoted. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (/[^-\w./]/.test(String(segment))) text += `[${JSON.stringify(segment)}]`;
    else text += text === '' ? String(segment) : `.${String(segment)}`;
  }
  return text;
}
