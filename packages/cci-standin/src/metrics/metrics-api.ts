import { type KubeClient, pods } from '@spillway/kube';
import { textAt } from '../json.ts';
import { apiRefusal, type Refusal } from '../refusal.ts';
import type { Call } from '../rules/call.ts';
import { metricsGroupVersion } from '../rules/routes.ts';
import { podMetrics } from './pod-metrics.ts';

/** `metrics.k8s.io` of the region: its API server has none, so the gateway answers itself, with what the node's kubelet measures. */
export class MetricsApi {
  readonly #client: KubeClient;
  readonly #node: string | undefined;

  /** @param node the name of the only one; undefined: there is none */
  constructor(client: KubeClient, node: string | undefined) {
    this.#client = client;
    this.#node = node;
  }

  async answer({ route, query }: Pick<Call, 'route' | 'query'>): Promise<object | Refusal> {
    if (route.resource === '') return discovery;
    if (['1', 'true'].includes(query.get('watch') ?? '')) {
      return apiRefusal(405, 'MethodNotAllowed', 'the server does not allow to watch the requested resource');
    }
    const { namespace, name } = route;
    const labelSelector = query.get('labelSelector') ?? undefined;
    const fieldSelector = name === undefined ? undefined : `metadata.name=${name}`;
    const [{ items }, summary] = await Promise.all([
      this.#client.resource(pods).list({ namespace, labelSelector, fieldSelector }),
      this.#summary(),
    ]);
    const found = podMetrics(summary, items);
    if (name === undefined)
      return { kind: 'PodMetricsList', apiVersion: metricsGroupVersion, metadata: {}, items: found };
    const one = found.find(({ metadata }) => textAt(metadata, 'name') === name);
    return one === undefined
      ? apiRefusal(404, 'NotFound', `podmetrics.metrics.k8s.io "${namespace ?? ''}/${name}" not found`)
      : { kind: 'PodMetrics', apiVersion: metricsGroupVersion, ...one };
  }

  async #summary(): Promise<unknown> {
    if (this.#node === undefined) return {};
    const path = `/api/v1/nodes/${this.#node}/proxy/stats/summary`;
    return await this.#client.request<unknown>({ method: 'GET', path, query: { only_cpu_and_memory: true } });
  }
}

const discovery = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: metricsGroupVersion,
  resources: [{ name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] }],
};
