import { type Clock, KubeClient, type KubeClientOptions, type Logger } from '@spillway/kube';
import { Access } from './credentials/access.ts';
import type { LoginSource } from './credentials/login-source.ts';
import { probeOnce } from './credentials/probe.ts';
import type { CciDialect } from './dialects.ts';
import type { Endpoints } from './endpoints.ts';
import { Iam } from './iam.ts';
import type { PrepareOptions } from './prepare/prepare.ts';

export interface ConnectOptions {
  readonly dialect: CciDialect;
  readonly endpoints: Endpoints;
  /** PEM */
  readonly ca?: string | undefined;
  readonly projectId: string;
  readonly namespace: string;
  readonly source: LoginSource;
  readonly lanes?: KubeClientOptions['lanes'];
  readonly rate?: KubeClientOptions['rate'];
  readonly beforeSend?: KubeClientOptions['beforeSend'];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The API of CCI for one account: a Kubernetes client whose calls are signed or carry a token. */
export class CciConnection implements AsyncDisposable {
  readonly client: KubeClient;
  readonly access: Access;
  readonly #ended = new AbortController();

  constructor(options: ConnectOptions) {
    const { dialect, endpoints, ca, projectId, namespace, source, lanes, rate, beforeSend, clock, logger } = options;
    const iam = new Iam({ endpoint: endpoints.iam, ca, projectId });
    const probed = { endpoint: endpoints.cci, path: `${dialect.namespace.path}/${namespace}`, ca };
    this.access = new Access({
      source,
      projectId,
      token: (login, now, signal) => iam.token(login, now, signal),
      probe: (sign, signal) => probeOnce(probed, sign, signal),
      signal: this.#ended.signal,
      clock,
      logger,
    });
    this.client = new KubeClient({
      config: {
        server: endpoints.cci,
        ...(ca !== undefined && { ca }),
        insecureSkipTlsVerify: false,
        namespace,
        source: 'the configuration of the backend',
        credentials: this.access,
        sign: this.access.sign,
      },
      lanes,
      rate,
      beforeSend,
      clock,
      logger,
    });
  }

  readonly send: PrepareOptions['send'] = (request) => this.client.request(request);

  async close(): Promise<void> {
    this.#ended.abort();
    await this.client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
