import { setImmediate } from 'node:timers/promises';
import type { Pod } from '@spillway/kube';
import type { KnownPod, PodLookup } from '../pods/known-pods.ts';

/** All pods that are bound to the node. */
export function* boundPods(pods: PodLookup): Generator<Pod, void, undefined> {
  for (const { pod } of pods.all()) yield { apiVersion: 'v1', kind: 'Pod', ...pod };
}

/** The pods of which the backend runs something, in the kubelet's short form. Those that were asked to end are left out. */
export function* runningPods(pods: PodLookup): Generator<Pod, void, undefined> {
  for (const known of pods.all()) if (runs(known)) yield shortened(known.pod);
}

function runs({ instance }: KnownPod): boolean {
  return instance?.state === 'running' || instance?.state === 'starting';
}

function shortened({ metadata, spec }: Pod): Pod {
  const { name = '', namespace = '', uid = '' } = metadata ?? {};
  const containers = spec?.containers.map((container) => ({ name: container.name, image: container.image ?? '' }));
  return { metadata: { name, namespace, uid }, spec: { containers: containers ?? [] } };
}

const chunkLength = 64 * 1024;

/**
 * A PodList as JSON in pieces. Ten thousand pods are some 65 MB: other requests get their turn between the pieces, and nothing
 * holds the whole text.
 */
export async function* podListJson(pods: Iterable<Pod>): AsyncGenerator<string, void, undefined> {
  let text = '{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[';
  let separator = '';
  for (const pod of pods) {
    text += separator + JSON.stringify(pod);
    separator = ',';
    if (text.length < chunkLength) continue;
    yield text;
    text = '';
    await setImmediate();
  }
  yield `${text}]}\n`;
}
