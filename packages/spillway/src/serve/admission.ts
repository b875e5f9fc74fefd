import { errorMessage, Informer, type KubeClient, type Logger, type Node, nodes, readText } from '@spillway/kube';
import { Admission, leaveMs } from '../admission/admission.ts';
import { webhookAddress } from '../admission/configurations.ts';
import type { Config, PoolConfig } from '../config/config.ts';
import { ConfigError } from '../config/load.ts';
import type { Metrics } from '../observability/metrics.ts';
import { askPools } from '../podspec/fit/fit.ts';
import { runTogether } from '../pool/task-group.ts';
import { poolOf } from './backends.ts';
import { outlive } from './outlive.ts';

export interface ServeAdmissionOptions {
  readonly config: Config;
  readonly client: KubeClient;
  readonly metrics: Metrics;
  readonly onReady: () => void;
  readonly logger: Logger;
}

/**
 * On every replica, the active one and those that stand by. Where a Service leads here, requests are answered for some more seconds when
 * `signal` is aborted. @throws ConfigError when the file of authorities cannot be read
 */
export async function serveAdmission(
  { config, client, metrics, onReady, logger }: ServeAdmissionOptions,
  signal: AbortSignal,
): Promise<void> {
  const { port, namespace, clientCAFile } = config.admission;
  const address = webhookAddress(config.admission);
  const informers = new Map(config.pools.map((pool) => [pool.nodeName, nodeInformer(pool, client, logger)]));
  const admission = new Admission({
    client,
    port,
    address,
    installation: config.name,
    namespace,
    clientCa: clientCAFile === undefined ? undefined : await authoritiesIn(clientCAFile),
    ask: askPools(config.pools.map(poolOf), (nodeName) => informers.get(nodeName)?.store.get('', nodeName)),
    onRequest: ({ endpoint, result, durationMs }) => {
      metrics.admissionRequests.inc({ endpoint, result });
      metrics.admissionSeconds.observe({ endpoint }, durationMs / 1000);
    },
    onReady: () =>
      void Promise.all(Array.from(informers.values(), ({ synced }) => synced)).then(onReady, () => undefined),
    logger,
  });
  signal.addEventListener('abort', () => admission.leave(), { once: true });
  await runTogether(outlive(signal, 'service' in address ? leaveMs : 0), [
    (stop) => admission.run(stop),
    ...Array.from(
      informers.values(),
      (informer) =>
        (stop: AbortSignal): Promise<void> =>
          informer.run(stop),
    ),
  ]);
}

async function authoritiesIn(file: string): Promise<string> {
  try {
    return await readText(file);
  } catch (cause) {
    throw new ConfigError(`admission.clientCAFile: cannot read ${file}: ${errorMessage(cause)}`, [], { cause });
  }
}

/** Of the node of one pool: Spillway may watch no others where it places no pods. */
function nodeInformer({ nodeName }: PoolConfig, client: KubeClient, logger: Logger): Informer<Node> {
  return new Informer({
    client,
    type: nodes,
    fieldSelector: `metadata.name=${nodeName}`,
    onError: (error) => logger.debug({ err: error }, 'admission cannot watch the node of a pool; trying again'),
  });
}
