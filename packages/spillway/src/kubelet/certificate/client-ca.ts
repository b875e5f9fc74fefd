import { type Clock, configMaps, type KubeClient, type Logger } from '@spillway/kube';
import { createSecureContext } from 'node:tls';

export interface ClientCaOptions {
  /** Needs to read the ConfigMap `extension-apiserver-authentication` in `kube-system`. */
  readonly client: KubeClient;
  readonly logger: Logger;
  readonly clock: Clock;
  /** How often to look for a change; default 5 min. */
  readonly intervalMs?: number;
}

const published = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };
const retryMs = 10_000;

/**
 * Follows the authorities of client certificates that the API server publishes for servers behind it; the certificate with
 * which it comes to kubelets is signed by them. Returns when the signal aborts; trouble is logged and tried again.
 */
export async function followClientCa(
  options: ClientCaOptions,
  use: (clientCa: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { client, logger, clock, intervalMs = 5 * 60_000 } = options;
  let current: string | undefined;
  while (!signal.aborted) {
    try {
      const { data } = await client.resource(configMaps).get(published, { lane: 'node', signal });
      const clientCa = requireAuthority(data?.['client-ca-file']);
      if (clientCa !== current) use(clientCa);
      current = clientCa;
      await clock.sleep(intervalMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      const { namespace, name } = published;
      const consequence =
        current === undefined ? 'requests with client certificates are refused' : 'the last ones stay in use';
      logger.error(
        { err: error },
        `cannot read the authorities of client certificates from ConfigMap ${namespace}/${name}; ${consequence}`,
      );
      await clock.sleep(retryMs, signal);
    }
  }
}

function requireAuthority(pem: string | undefined): string {
  if (pem === undefined) throw new Error('it has no client-ca-file: does the API server run with --client-ca-file?');
  // Throws what is wrong with it.
  createSecureContext({ ca: pem });
  return pem;
}
