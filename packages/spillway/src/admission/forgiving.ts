import { shapeProblem } from '../placement/rules/object-shape.ts';
import type { AdmissionRequest, AdmissionResponse } from './admission-review.ts';

/**
 * Tells what is no object of its kind from a failure of ours. Looked at only after one: the API server sends good objects,
 * others may send anything.
 *
 * @throws SyntaxError
 */
export function forgiving(
  answer: (request: AdmissionRequest) => AdmissionResponse,
): (request: AdmissionRequest) => AdmissionResponse {
  return (request) => {
    try {
      return answer(request);
    } catch (cause) {
      const problem = [request.object, request.oldObject]
        .flatMap((object) => (object === undefined ? [] : [shapeProblem(object)]))
        .find((each) => each !== undefined);
      if (problem === undefined) throw cause;
      throw new SyntaxError(`the object of the AdmissionReview is malformed: ${problem}`, { cause });
    }
  };
}
