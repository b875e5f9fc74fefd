import type { Clock, KubeClient, Logger, Pod, ResourceClient } from '@spillway/kube';
import { BackendError, type Owner } from '../backend.ts';
import type { EventHub } from '../event-hub.ts';
import { CopyKeeper } from './copies/copy-keeper.ts';
import { DeadManSwitch } from './dead-man/dead-man-switch.ts';
import type { Dialect } from './dialect.ts';
import { backendError } from './errors.ts';
import { syncing } from './lanes.ts';
import { Instances } from './pods/instances.ts';

export interface Connection {
  readonly client: KubeClient;
  close(): Promise<void>;
}

/** What works on the other cluster, once there is a client. */
export interface Connected {
  readonly client: KubeClient;
  readonly pods: ResourceClient<Pod>;
  readonly instances: Instances;
  readonly copies: CopyKeeper;
  readonly deadMan: DeadManSwitch;
  readonly closing: AbortSignal;
}

export interface OtherClusterOptions {
  readonly connect: () => Promise<Connection>;
  readonly dialect: Dialect;
  readonly owner: Owner;
  readonly namespace: string;
  readonly hub: EventHub;
  readonly logger: Logger;
  readonly clock?: Clock | undefined;
  /** Of the job that ends pods after a silence. Absent: none is made. */
  readonly deadManImage?: string | undefined;
}

/** The way to the other cluster: connected when it is first needed, and closed when what goes on there in the background has ended. */
export class OtherCluster {
  readonly #options: OtherClusterOptions;
  readonly #closing = new AbortController();
  readonly #background = new Set<Promise<unknown>>();
  #connecting: Promise<Connected & Connection> | undefined;

  constructor(options: OtherClusterOptions) {
    this.#options = options;
  }

  /** @param doing completes "could not …" @throws BackendError alone */
  async do<T>(doing: string, work: (connected: Connected) => Promise<T>): Promise<T> {
    try {
      this.#connecting ??= this.#connect();
      return await work(await this.#connecting);
    } catch (error) {
      throw backendError(error, doing, this.#options.dialect);
    }
  }

  untilClosed(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal]);
  }

  inBackground(work: (closing: AbortSignal) => Promise<unknown>): void {
    const tracked = work(this.#closing.signal).finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }

  /** Removes what should not be there, in the background: what could not be is left to the next time. */
  tidy(
    removal: (closing: AbortSignal) => Promise<void>,
    remains = 'cannot remove unused copies of ConfigMaps and Secrets yet',
  ): void {
    this.inBackground((closing) =>
      removal(closing).catch((error: unknown) => {
        if (closing.aborted) return;
        this.#options.logger.warn({ err: error }, remains);
      }),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort(new BackendError('unavailable', 'the backend was closed'));
    await Promise.all(this.#background);
    const connected = await this.#connecting?.catch(() => undefined);
    await connected?.close();
  }

  async #connect(): Promise<Connected & Connection> {
    const { connect, dialect, owner, namespace, hub, logger, clock, deadManImage: image } = this.#options;
    try {
      const connection = await connect();
      const { client } = connection;
      const instances = new Instances({ client, dialect, owner, namespace, hub, logger });
      const pods = (signal: AbortSignal): Promise<Pod[]> => instances.pods({ signal, lane: syncing });
      const copies = new CopyKeeper({ client, dialect, owner, namespace, pods, clock });
      const { configMaps } = dialect.types;
      const place = { client, configMaps, namespace, owner };
      const deadMan = new DeadManSwitch({ ...place, runsJobs: dialect.runsJobs, image });
      const close = (): Promise<void> => connection.close();
      const closing = this.#closing.signal;
      return { client, close, pods: client.resource(dialect.types.pods), instances, copies, deadMan, closing };
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
  }
}
