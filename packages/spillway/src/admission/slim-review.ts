const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * An AdmissionReview with what its answer depends on: without the books of field managers, the status and the copy that
 * kubectl keeps. Imports nothing, for it is loaded in a thread of its own.
 *
 * @throws SyntaxError
 */
export function slimReview(text: string): string {
  const review: unknown = JSON.parse(text);
  if (!isRecord(review) || !isRecord(review['request'])) return '{}';
  const { uid, operation, namespace, object, oldObject } = review['request'];
  for (const each of [object, oldObject]) {
    if (!isRecord(each)) continue;
    delete each['status'];
    const { metadata } = each;
    if (!isRecord(metadata)) continue;
    delete metadata['managedFields'];
    const { annotations } = metadata;
    // Its place stays: patches follow from which annotations there are.
    if (isRecord(annotations) && Object.hasOwn(annotations, lastApplied)) annotations[lastApplied] = '';
  }
  return JSON.stringify({
    apiVersion: review['apiVersion'],
    request: { uid, operation, namespace, object, oldObject },
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
