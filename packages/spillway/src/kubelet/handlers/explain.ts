import type { ServerResponse } from 'node:http';
import type { PodLookup } from '../../pods/known-pods.ts';
import { Problem } from '../problem.ts';

/** @throws {Problem} 404 */
export function serveExplanation(
  pods: PodLookup,
  { namespace, pod }: { readonly namespace: string; readonly pod: string },
  response: ServerResponse,
): void {
  const explanation = pods.explain(namespace, pod);
  if (explanation === undefined) throw new Problem(404, `pod "${pod}" is not on this virtual node`);
  response.setHeader('Content-Type', 'application/json').end(`${JSON.stringify(explanation)}\n`);
}
