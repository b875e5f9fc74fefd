import type { JsonPatchOperation, KubeObject } from '@spillway/kube';

// admission.k8s.io/v1, which no API server lists in its OpenAPI documents.

export interface AdmissionRequest {
  readonly uid: string;
  readonly operation: string;
  /** Empty for objects without one. */
  readonly namespace: string;
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
}

export interface AdmissionResponse {
  readonly allowed: boolean;
  readonly patch?: readonly JsonPatchOperation[];
  /** Why it is not allowed. */
  readonly message?: string;
  readonly warnings?: readonly string[];
}

/** @throws SyntaxError when the text is not an AdmissionReview of version v1 with a request */
export function parseReview(text: string): AdmissionRequest {
  const review: unknown = JSON.parse(text);
  if (!isRecord(review) || review['apiVersion'] !== 'admission.k8s.io/v1' || !isRecord(review['request'])) {
    throw new SyntaxError('this is not an AdmissionReview of version admission.k8s.io/v1 with a request');
  }
  const { request } = review;
  if (typeof request['uid'] !== 'string' || typeof request['operation'] !== 'string') {
    throw new SyntaxError('the request of the AdmissionReview has no uid or no operation');
  }
  return {
    uid: request['uid'],
    operation: request['operation'],
    namespace: typeof request['namespace'] === 'string' ? request['namespace'] : '',
    object: objectIn(request, 'object'),
    oldObject: objectIn(request, 'oldObject'),
  };
}

export function renderReview({ uid }: AdmissionRequest, response: AdmissionResponse): string {
  const { allowed, patch = [], message, warnings = [] } = response;
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed,
      ...(patch.length > 0
        ? { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
        : {}),
      ...(message === undefined ? {} : { status: { code: 422, reason: 'Invalid', message } }),
      ...(warnings.length > 0 ? { warnings } : {}),
    },
  });
}

function objectIn(request: Readonly<Record<string, unknown>>, field: string): KubeObject | undefined {
  const object = request[field];
  if (object === undefined || object === null) return undefined;
  if (!isRecord(object)) throw new SyntaxError(`the ${field} of the AdmissionReview is not an object`);
  return object;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
