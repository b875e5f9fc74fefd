import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pod } from '@spillway/kube';
import { podListJson } from '../pod-list.ts';

/** Sends a PodList no faster than the client reads. */
export async function servePods(pods: Iterable<Pod>, response: ServerResponse): Promise<void> {
  response.setHeader('Content-Type', 'application/json');
  await pipeline(Readable.from(podListJson(pods), { objectMode: true, highWaterMark: 1 }), response);
}
