import { isObject, objectAt, type JsonObject } from '../json.ts';
import { apiRefusal, type Refusal } from '../refusal.ts';
import type { Call } from '../rules/call.ts';
import { areMadeAlike, shownAnnotations } from './asked.ts';

export type Change = { readonly body: JsonObject | undefined } | { readonly refusal: Refusal };

/** Whether a change might lose what the gateway keeps of a pod, so that it takes a look at the pod first. */
export function mayLoseRequests({ method, route, body }: Call): boolean {
  if (route.resource !== 'pods' || route.subresource !== undefined) return false;
  return method === 'PUT' || (method === 'PATCH' && emptiesAnnotations(objectAt(body, 'metadata')));
}

/**
 * The change with which the pod still requests what it was made with.
 *
 * @param body as it would go to the API server
 * @param current the pod as the API server has it
 */
export function keepingRequests({ method }: Call, body: JsonObject, current: JsonObject): Change {
  if (method === 'PUT') return areMadeAlike(body, current) ? { body } : { refusal: otherRequests };
  const metadata = objectAt(body, 'metadata');
  const { $patch: directive, ...given } = objectAt(metadata, 'annotations');
  const gone = Object.fromEntries(Object.keys(shownAnnotations(current)).map((key) => [key, null]));
  const annotations = { ...gone, ...(directive === 'delete' ? {} : given) };
  return { body: { ...body, metadata: { ...metadata, annotations } } };
}

/** By null, or by a directive of a strategic merge patch. */
function emptiesAnnotations({ annotations }: JsonObject): boolean {
  return annotations === null || (isObject(annotations) && '$patch' in annotations);
}

const otherRequests = apiRefusal(
  422,
  'Invalid',
  'spec: Forbidden: pod updates may not change fields other than images, labels and annotations',
);
