import { type KubeObject, parseYaml, type Place, YamlError } from '@spillway/kube';
import type { z } from 'zod';
import { check } from '../../podspec/mistakes.ts';
import { at } from '../../placement/rules/admitted.ts';
import { anyObject, isClaim, makesPods, shapes } from '../../placement/rules/object-shape.ts';

/** A file is no manifest. The message has one line for each problem: `FILE:LINE: what, and what is allowed`. */
export class ManifestError extends Error {
  override readonly name: string = 'ManifestError';
}

/**
 * The objects of a manifest: several documents, lists of any kind included. Read as kubectl reads it, where `off` without
 * quotes is no text.
 *
 * @param file only for messages
 * @throws ManifestError
 */
export function parseManifest(text: string, file: string): KubeObject[] {
  const place = ({ line }: Place): string => `${file}:${line}`;
  try {
    return parseYaml(text, '1.1').flatMap((document) =>
      objectsIn(withoutNulls(document.value), [], (path) => place(document.placeOf(path))),
    );
  } catch (cause) {
    if (!(cause instanceof YamlError)) throw cause;
    const lines = cause.mistakes.map((mistake) => `${place(mistake)}: ${mistake.message}`);
    throw new ManifestError(lines.join('\n'), { cause });
  }
}

function objectsIn(
  value: unknown,
  path: readonly PropertyKey[],
  place: (path: readonly PropertyKey[]) => string,
): KubeObject[] {
  // An empty document, e.g. after the last `---`.
  if (value === null || value === undefined) return [];
  requireShape(anyObject, value, path, place);
  const object = at<KubeObject & { items?: unknown }>(value, []) ?? {};
  if (object.kind?.endsWith('List') && Array.isArray(object.items)) {
    return object.items.flatMap((item: unknown, index) => objectsIn(item, [...path, 'items', index], place));
  }
  const schema = makesPods(object) || isClaim(object) ? shapes.get(object.kind ?? '') : undefined;
  if (schema) requireShape(schema, value, path, place);
  return [object];
}

function requireShape(
  schema: z.ZodType,
  value: unknown,
  path: readonly PropertyKey[],
  place: (path: readonly PropertyKey[]) => string,
): void {
  const checked = check(schema, value);
  if ('data' in checked) return;
  const problems = checked.mistakes.map(({ path: below, message }) => {
    const field = [...path, ...below];
    return `${place(field)}: ${field.length === 0 ? '' : `${field.map(String).join('.')}: `}${message}`;
  });
  throw new ManifestError(problems.join('\n'));
}

/** A field without a value is not there, as for the API server. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  return Object.fromEntries(fields.map(([key, field]) => [key, withoutNulls(field)]));
}
