import type { Pod } from '@spillway/kube';
import { at, isObject, type JsonObject, listAt, textAt } from '../json.ts';

/** Over how long a kubelet averages what a container uses. */
const window = '10s';

/**
 * What pods use, as `metrics.k8s.io` tells it, of what their kubelet measured (a Summary of stats/v1alpha1). A pod that was not
 * measured is left out.
 */
export function podMetrics(summary: unknown, pods: readonly Pod[]): JsonObject[] {
  const measured = new Map(listAt(summary, 'pods').map((each) => [textAt(each, 'podRef', 'uid'), each]));
  return pods.flatMap(({ metadata }) => {
    const stats = listAt(measured.get(metadata?.uid), 'containers').filter(isMeasured);
    const [oldest] = stats.map((each) => textAt(each, 'cpu', 'time') ?? '').toSorted();
    if (oldest === undefined) return [];
    const timestamp = inSeconds(oldest);
    return [
      {
        metadata: {
          name: metadata?.name,
          namespace: metadata?.namespace,
          creationTimestamp: timestamp,
          ...(metadata?.labels && { labels: metadata.labels }),
        },
        timestamp,
        window,
        containers: stats.map((each) => ({
          name: textAt(each, 'name'),
          usage: {
            cpu: `${String(at(each, 'cpu', 'usageNanoCores'))}n`,
            memory: `${Math.floor(Number(at(each, 'memory', 'workingSetBytes')) / 1024)}Ki`,
          },
        })),
      },
    ];
  });
}

function isMeasured(stats: unknown): stats is JsonObject {
  const figures = [at(stats, 'cpu', 'usageNanoCores'), at(stats, 'memory', 'workingSetBytes')];
  return isObject(stats) && figures.every((figure) => typeof figure === 'number');
}

/** As times of the API are written. */
function inSeconds(time: string): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
