import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type { UsageRoute } from '../route.ts';
import { cadvisorMetrics } from '../usage/cadvisor-metrics.ts';
import { exposition, expositionType } from '../usage/exposition.ts';
import { measuredPods } from '../usage/measured-pods.ts';
import { resourceMetrics } from '../usage/resource-metrics.ts';
import { statsSummary } from '../usage/stats-summary.ts';
import type { HandlerContext } from './context.ts';

/** Answers with what pods use, in the form that the path stands for. */
export async function serveUsage(
  { nodeName, pods, usage }: Pick<HandlerContext, 'nodeName' | 'pods' | 'usage'>,
  route: UsageRoute,
  response: ServerResponse,
): Promise<void> {
  // Probes are the backend's, and what it finds stands in the pods' status; who scrapes all paths of a kubelet gets an answer.
  if (route === 'probeMetrics') return await send(exposition([]), expositionType, response);
  const known = await usage.figures();
  const measured = measuredPods(pods.all(), known);
  switch (route) {
    case 'statsSummary': {
      const node = { nodeName, startedAtMs: usage.startedAtMs, total: known?.total };
      return await send(statsSummary(node, measured), 'application/json', response);
    }
    case 'resourceMetrics':
      return await send(exposition(resourceMetrics(measured, known)), expositionType, response);
    default:
      return await send(exposition(cadvisorMetrics(measured, known)), expositionType, response);
  }
}

/** No faster than the client reads. */
async function send(pieces: AsyncIterable<string>, contentType: string, response: ServerResponse): Promise<void> {
  response.setHeader('Content-Type', contentType);
  const source = Readable.from(pieces, { objectMode: true, highWaterMark: 1 });
  if (!acceptsGzip(response)) return await pipeline(source, response);
  response.setHeader('Content-Encoding', 'gzip');
  await pipeline(source, createGzip({ level: constants.Z_BEST_SPEED }), response);
}

function acceptsGzip({ req: { headers } }: ServerResponse): boolean {
  return /(^|[\s,])gzip(\s*;\s*q=(1|0\.\d*[1-9]))?\s*(,|$)/i.test(headers['accept-encoding'] ?? '');
}
