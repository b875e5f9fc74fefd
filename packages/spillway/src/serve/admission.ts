import type { KubeClient, Logger } from '@spillway/kube';
import { Admission } from '../admission/admission.ts';
import { webhookAddress } from '../admission/configurations.ts';
import type { Config } from '../config/config.ts';
import type { Metrics } from '../observability/metrics.ts';
import { reviewFor } from './backends.ts';

export interface ServeAdmissionOptions {
  readonly config: Config;
  readonly client: KubeClient;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** On every replica, the active one and those that stand by. */
export function serveAdmission(
  { config, client, metrics, logger }: ServeAdmissionOptions,
  signal: AbortSignal,
): Promise<void> {
  const { port, namespace } = config.admission;
  const admission = new Admission({
    client,
    port,
    address: webhookAddress(config.admission),
    namespace,
    review: (pod) =>
      config.pools.map(({ name, backend }) => ({ pool: name, ...reviewFor(backend, pod), warnings: [] })),
    onRequest: ({ endpoint, result, durationMs }) => {
      metrics.admissionRequests.inc({ endpoint, result });
      metrics.admissionSeconds.observe({ endpoint }, durationMs / 1000);
    },
    logger,
  });
  return admission.run(signal);
}
