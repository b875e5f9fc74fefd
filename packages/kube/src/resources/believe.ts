import { ApiError, TransportError } from '../errors.ts';
import type { Status } from '../generated/index.ts';
import { isRecord } from '../config/kubeconfig-file.ts';
import { trusted } from '../json.ts';
import type { KubeList, KubeObject } from '../resource-type.ts';
import { aboutOf } from '../transport/call.ts';
import type { KubeRequest } from '../transport/request.ts';

// What an answer of success has to be before it is believed: gateways say 200, too.

/** @throws ApiError for a Status that tells of a failure */
export function noFailure<R>(answer: R, request: KubeRequest): R {
  if (isRecord(answer) && answer['kind'] === 'Status' && answer['status'] === 'Failure') {
    throw ApiError.fromStatus(trusted<Status>(answer), aboutOf(request));
  }
  return answer;
}

/**
 * A list that says nothing of its items has none only if it says so. What is no object among the items is left out.
 *
 * @throws TransportError "protocol" when the answer is no list
 */
export function listIn<T extends KubeObject>(answer: unknown, request: KubeRequest): KubeList<T> {
  const { items, metadata } = isRecord(answer) ? answer : {};
  if (!isRecord(answer) || (items !== null && !Array.isArray(items))) {
    const what = isRecord(answer) && typeof answer['kind'] === 'string' ? answer['kind'] : typeof answer;
    throw new TransportError('protocol', `${aboutOf(request)}: the answer is not a list but ${what}`);
  }
  return {
    ...trusted<KubeList<T>>(answer),
    metadata: isRecord(metadata) ? metadata : {},
    items: trusted<T[]>((items ?? []).filter(isRecord)),
  };
}

/** @throws TransportError "protocol" when the answer is no object, such as the page of a gateway */
export function objectIn<R>(answer: R, request: KubeRequest): R {
  if (isRecord(answer) && answer['kind'] !== 'Status') return answer;
  throw new TransportError('protocol', `${aboutOf(request)}: the answer is not an object of the API`);
}
