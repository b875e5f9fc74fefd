import { buildConnector, Client, Pool } from 'undici';
import type { ClusterConfig } from '../config/cluster-config.ts';
import type { CredentialGeneration, Credentials } from '../config/credentials.ts';
import { TransportError } from '../errors.ts';
import { authenticationHeaders } from './headers.ts';

/** What one generation of credentials sends with: a pool for short requests, and single connections for streams. */
export interface Connection {
  readonly generation: number;
  readonly credentials: Credentials;
  /** Flat list of names and values */
  readonly headers: readonly string[];
  readonly pool: Pool;
  readonly openClient: () => Client;
}

/**
 * The connections to one API server. A new generation with other certificates gets new connections; the old ones
 * finish what they have under way. HTTP/1.1 only: watches over HTTP/2 were seen to stall for good.
 */
export class Connections {
  readonly #config: ClusterConfig;
  readonly #retiring = new Set<Promise<void>>();
  #closed = false;
  #active: Connection | undefined;

  constructor(config: ClusterConfig) {
    this.#config = config;
  }

  /** To be used without waiting in between: afterwards its pool may be retired. @throws KubeconfigError, TransportError */
  async current(): Promise<Connection> {
    const next = await this.#config.credentials.current();
    if (this.#closed) throw new TransportError('aborted', 'the client was closed', { unsent: true });
    const active = this.#active;
    if (active !== undefined && next.generation <= active.generation) return active;
    this.#active = this.#connect(next, active);
    if (active !== undefined && active.pool !== this.#active.pool) this.#retire(active.pool);
    return this.#active;
  }

  #connect({ generation, credentials }: CredentialGeneration, previous: Connection | undefined): Connection {
    const headers = authenticationHeaders(credentials, this.#config.impersonate);
    const sameIdentity =
      previous?.credentials.clientCert === credentials.clientCert &&
      previous?.credentials.clientKey === credentials.clientKey;
    if (previous !== undefined && sameIdentity) return { ...previous, generation, credentials, headers };
    const { origin } = new URL(this.#config.server);
    // Shared, so that streams resume the TLS sessions of the pool instead of a full handshake each.
    const connect = buildConnector(tlsOptions(this.#config, credentials));
    const options = { connect, allowH2: false, headersTimeout: 0, bodyTimeout: 0 };
    return {
      generation,
      credentials,
      headers,
      // The API server drops idle connections after 90 s; whoever is first must be us.
      pool: new Pool(origin, { ...options, pipelining: 1, keepAliveTimeout: 30_000 }),
      openClient: () => new Client(origin, options),
    };
  }

  #retire(pool: Pool): void {
    const closing = pool
      .close()
      .catch(() => undefined)
      .finally(() => this.#retiring.delete(closing));
    this.#retiring.add(closing);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#active?.pool.destroy().catch(() => undefined);
    await Promise.all(this.#retiring);
  }
}

function tlsOptions(config: ClusterConfig, { clientCert, clientKey }: Credentials): buildConnector.BuildOptions {
  return {
    allowH2: false,
    timeout: 10_000,
    rejectUnauthorized: !config.insecureSkipTlsVerify,
    ...(config.ca === undefined ? {} : { ca: config.ca }),
    ...(config.tlsServerName === undefined ? {} : { servername: config.tlsServerName }),
    ...(clientCert === undefined ? {} : { cert: clientCert }),
    ...(clientKey === undefined ? {} : { key: clientKey }),
  };
}
