import { isIPv6 } from 'node:net';
import { type KubeClient, type Logger, systemClock } from '@spillway/kube';
import type { Config, PoolConfig } from '../config/config.ts';
import { LinkAccess, reviewTokens } from '../link/access.ts';
import { Catalogue } from '../link/catalogue.ts';
import { LinkCertificates } from '../link/certificates.ts';
import { LinkServer } from '../link/link-server.ts';
import { linkedPod } from '../link/pod-link.ts';
import { linkSecretName } from '../link/secret-name.ts';
import type { Metrics } from '../observability/metrics.ts';
import { runTogether } from '../pool/task-group.ts';
import type { Problem } from '../pods/core/pod-state.ts';
import type { PodLink } from '../pods/pod-link.ts';

export interface LinkOptions {
  readonly config: Config;
  readonly client: KubeClient;
  readonly metrics: Metrics;
  /** Called once, when agents can connect and are told everything. */
  readonly onReady: () => void;
  readonly logger: Logger;
}

const listenRetryMs = 5000;

/** The link server of one replica, and what pods need for their agents. Every replica runs one, whichever pools it leads. */
export class ServedLink {
  readonly #options: LinkOptions;
  readonly #catalogue: Catalogue;
  readonly #server: LinkServer;
  readonly #certificates: LinkCertificates;
  readonly #listening = Promise.withResolvers<void>();

  constructor(options: LinkOptions) {
    const { config, client, metrics, logger } = options;
    this.#options = options;
    this.#catalogue = new Catalogue({ client, logger });
    this.#server = new LinkServer({
      catalogue: this.#catalogue,
      access: new LinkAccess({ review: reviewTokens(client), now: Date.now }),
      metrics: {
        loggedIn: (result) => metrics.linkLogins.inc({ result }),
        messageSent: () => metrics.linkMessages.inc(),
      },
      logger,
    });
    this.#certificates = new LinkCertificates({
      client,
      namespace: config.link.namespace,
      name: linkSecretName(config.name),
      use: (pair, authorities) => this.#server.setTls(pair, authorities),
      clock: systemClock,
      logger,
    });
  }

  /** Of the pods of a pool. @param address where pods reach this machine, unless the configuration says otherwise */
  podLink({ dns }: PoolConfig, address: string): PodLink {
    const { logger } = this.#options;
    const { link } = this.#options.config;
    const own = `${isIPv6(address) ? `[${address}]` : address}:${link.port}`;
    const servers = link.servers.length > 0 ? link.servers : [own];
    if (link.servers.length === 0) {
      logger.warn(
        { server: own },
        'link.servers is not set: pods look for the link server at the address of this process as long as they run, also when it has moved',
      );
    }
    const certificates = this.#certificates;
    return {
      nameServer: '127.0.0.1',
      get obstacle(): Problem | undefined {
        if (certificates.authorities !== '') return undefined;
        const message = 'the link server has no certificate yet, without which the agent of the pod cannot trust it';
        return { kind: 'missingReference', reason: 'LinkServerNotReady', message };
      },
      withAgent: (pod) =>
        linkedPod(pod, {
          image: link.image ?? '',
          servers,
          authorities: certificates.authorities,
          domain: dns.clusterDomain,
          resolvers: dns.clusterDNS,
        }),
    };
  }

  /** Resolves when `signal` is aborted and everything has stopped. */
  async run(signal: AbortSignal): Promise<void> {
    const { metrics } = this.#options;
    const rendering = metrics.beforeRender(() => {
      metrics.linkAgents.set(this.#server.agents);
      metrics.linkServices.set(this.#server.followed);
    });
    try {
      await runTogether(signal, [
        (stop) => this.#catalogue.run((key) => this.#server.changed(key), stop),
        (stop) => this.#certificates.run(stop),
        (stop) => this.#listen(stop),
        (stop) => this.#tellWhenSynced(stop),
      ]);
    } finally {
      rendering[Symbol.dispose]();
      await this.#server.close();
    }
  }

  async #tellWhenSynced(signal: AbortSignal): Promise<void> {
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    const synced = async (): Promise<void> => {
      await this.#catalogue.synced;
      this.#server.synced();
      await Promise.all([this.#certificates.known, this.#listening.promise]);
      this.#options.onReady();
    };
    await Promise.race([synced(), stopped]).catch(() => undefined);
    await stopped;
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const { config, logger } = this.#options;
    const { port } = config.link;
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    while (!signal.aborted) {
      try {
        await this.#server.listen(port);
        logger.info({ port }, 'link agents are served');
        this.#listening.resolve();
        return await stopped;
      } catch (error) {
        logger.error({ err: error, port, retryInSeconds: listenRetryMs / 1000 }, 'cannot listen for link agents');
        await systemClock.sleep(listenRetryMs, signal);
      }
    }
  }
}
