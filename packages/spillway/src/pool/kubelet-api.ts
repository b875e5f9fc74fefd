import { type Clock, errorMessage, type KubeClient, type Logger } from '@spillway/kube';
import { followClientCa } from '../kubelet/certificate/client-ca.ts';
import type { ServingCertificateSource } from '../kubelet/certificate/key-pair.ts';
import type { KubeletServer } from '../kubelet/server.ts';
import type { TlsMaterial } from '../kubelet/tls.ts';

export interface KubeletApiOptions {
  readonly server: Pick<KubeletServer, 'listen' | 'setTls' | 'close'>;
  readonly port: number;
  readonly certificates: ServingCertificateSource;
  /** Reads whose client certificates are accepted. */
  readonly controller: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

const listenRetryMs = 5000;

/** Keeps the kubelet API of the node served: its port, its certificate, and the authorities of its clients. */
export class KubeletApi {
  readonly #options: KubeletApiOptions;
  #listening = false;
  #tls: TlsMaterial = {};

  constructor(options: KubeletApiOptions) {
    this.#options = options;
  }

  /** Can it be called? */
  get served(): boolean {
    return this.#listening && this.#tls.cert !== undefined;
  }

  /** Resolves when `signal` is aborted and nothing of it is open. */
  async run(signal: AbortSignal): Promise<void> {
    const { server, certificates, controller, clock, logger } = this.#options;
    await Promise.all([
      this.#listen(signal),
      certificates.run((pair) => this.#useTls(pair), signal),
      followClientCa({ client: controller, logger, clock }, (clientCa) => this.#useTls({ clientCa }), signal),
    ]);
    await server.close();
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const { server, port, clock, logger } = this.#options;
    while (!signal.aborted) {
      try {
        await server.listen({ port });
        this.#listening = true;
        logger.info({ port }, 'kubelet API listening');
        return;
      } catch (error) {
        logger.error(
          { port, retryInSeconds: listenRetryMs / 1000 },
          `cannot listen for the kubelet API: ${errorMessage(error)}`,
        );
        await clock.sleep(listenRetryMs, signal);
      }
    }
  }

  #useTls(part: TlsMaterial): void {
    this.#tls = { ...this.#tls, ...part };
    this.#options.server.setTls(this.#tls);
  }
}
