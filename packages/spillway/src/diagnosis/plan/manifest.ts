import { errorMessage, type KubeObject } from '@spillway/kube';
import { type Document, isNode, LineCounter, parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import { at } from '../../placement/rules/admitted.ts';
import { anyObject, makesPods, shapes } from '../../placement/rules/object-shape.ts';

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
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { version: '1.1', lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  const place = (offset = 0): string => `${file}:${lines.linePos(offset).line}`;
  const errors = documents.flatMap((document) => document.errors);
  if (errors.length > 0) {
    throw new ManifestError(
      errors.map(({ pos, message }) => `${place(pos[0])}: not valid YAML: ${message}`).join('\n'),
    );
  }
  return documents.flatMap((document) => {
    const start = (path: readonly PropertyKey[]): string => place(offsetOf(document, path));
    return objectsIn(contentOf(document, start([])), [], start);
  });
}

function contentOf(document: Document.Parsed, place: string): unknown {
  try {
    return withoutNulls(document.toJS());
  } catch (cause) {
    throw new ManifestError(`${place}: not usable: ${errorMessage(cause)}`, {
      cause,
    });
  }
}

function objectsIn(
  value: unknown,
  path: readonly PropertyKey[],
  place: (path: readonly PropertyKey[]) => string,
): KubeObject[] {
  // An empty document, e.g. after the last `---`.
  if (value === null || value === undefined) return [];
  check(anyObject, value, path, place);
  const object = at<KubeObject & { items?: unknown }>(value, []) ?? {};
  if (object.kind?.endsWith('List') && Array.isArray(object.items)) {
    return object.items.flatMap((item: unknown, index) => objectsIn(item, [...path, 'items', index], place));
  }
  const schema = makesPods(object) ? shapes.get(object.kind ?? '') : undefined;
  if (schema) check(schema, value, path, place);
  return [object];
}

function check(
  schema: z.ZodType,
  value: unknown,
  path: readonly PropertyKey[],
  place: (path: readonly PropertyKey[]) => string,
): void {
  const { error } = schema.safeParse(value);
  if (!error) return;
  const problems = error.issues.map((issue) => {
    const field = [...path, ...issue.path];
    return `${place(field)}: ${field.length === 0 ? '' : `${field.map(String).join('.')}: `}${issue.message}`;
  });
  throw new ManifestError(problems.join('\n'));
}

/** Of the field, or of the nearest one around it that is there. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** A field without a value is not there, as for the API server. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  return Object.fromEntries(fields.map(([key, field]) => [key, withoutNulls(field)]));
}
