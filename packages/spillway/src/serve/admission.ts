import { errorMessage, type KubeClient, type Logger, type Pod, readText } from '@spillway/kube';
import { Admission } from '../admission/admission.ts';
import { webhookAddress } from '../admission/configurations.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/load.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { RuleSetName } from '../podspec/sizing/rule-sets.ts';
import { sizeText } from '../podspec/sizing/shown.ts';
import { sizePod } from '../podspec/sizing/size-pod.ts';
import { makeReview } from './backends.ts';

export interface ServeAdmissionOptions {
  readonly config: Config;
  readonly client: KubeClient;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** On every replica, the active one and those that stand by. @throws ConfigError when the file of authorities cannot be read */
export async function serveAdmission(
  { config, client, metrics, logger }: ServeAdmissionOptions,
  signal: AbortSignal,
): Promise<void> {
  const { port, namespace, clientCAFile } = config.admission;
  const admission = new Admission({
    client,
    port,
    address: webhookAddress(config.admission),
    installation: config.name,
    namespace,
    clientCa: clientCAFile === undefined ? undefined : await authoritiesIn(clientCAFile),
    review: (pod) =>
      config.pools.map((pool) => ({
        pool: pool.name,
        ...sizeOf(pod, pool.sizing),
        refusals: makeReview(pool)(pod),
        warnings: [],
      })),
    onRequest: ({ endpoint, result, durationMs }) => {
      metrics.admissionRequests.inc({ endpoint, result });
      metrics.admissionSeconds.observe({ endpoint }, durationMs / 1000);
    },
    logger,
  });
  await admission.run(signal);
}

async function authoritiesIn(file: string): Promise<string> {
  try {
    return await readText(file);
  } catch (cause) {
    throw new ConfigError(`admission.clientCAFile: cannot read ${file}: ${errorMessage(cause)}`, [], { cause });
  }
}

/** Pods that run as they are written have no size of their own to tell. */
function sizeOf(pod: Pod, sizing: RuleSetName): { readonly size?: string } {
  const size = sizing === 'none' ? undefined : sizePod(pod.spec ?? { containers: [] }, sizing);
  if (size?.kind !== 'sized') return {};
  return { size: sizeText(size.pod) };
}
