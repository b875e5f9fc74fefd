import { parseJson } from '../json.ts';
import type { KubeObject } from '../resource-type.ts';

/**
 * Parses an object of the API without `metadata.managedFields`, which is much of a pod and interests nobody
 * here.
 *
 * @throws SyntaxError
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function parseObject<T extends KubeObject>(text: string): T {
  return withoutManagedFields(parseJson<T>(withoutManagedFieldsText(text)));
}

/** Changes the object. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  if (object.metadata?.managedFields === undefined) return object;
  // A new object: `delete` would turn the old one into a slow dictionary, for as long as somebody keeps it.
  const { managedFields: _, ...metadata } = object.metadata;
  object.metadata = metadata;
  return object;
}

const lastInMetadata = /\]\},"\w+":/y;

/**
 * Cuts them out where they are the last field of the metadata and another field of the object follows, as in what the API server
 * writes of built-in kinds. They contain no other arrays. Inside of JSON strings each quote has a backslash before it, and what
 * follows the end of one is no word, so both patterns are found only where they are structure.
 */
function withoutManagedFieldsText(text: string): string {
  const start = text.indexOf(',"managedFields":[');
  const end = start === -1 ? -1 : text.indexOf(']', start);
  lastInMetadata.lastIndex = end;
  return end !== -1 && lastInMetadata.test(text) ? text.slice(0, start) + text.slice(end + 1) : text;
}
