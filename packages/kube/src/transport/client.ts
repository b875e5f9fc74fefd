import type { ClusterConfig, Impersonation } from '../config/cluster-config.ts';
import type { Logger } from '../logger.ts';
import type { KubeObject, ResourceType } from '../resource-type.ts';
import type { ResourceClient } from '../resources/resource-client.ts';
import type { LaneName, LaneOptions } from './lanes.ts';
import type { KubeRequest, KubeStream, RequestRecord } from './request.ts';

export interface KubeClientOptions {
  readonly config: ClusterConfig;
  /** Default: "spillway-kube" */
  readonly userAgent?: string;
  /** Added to, or replacing, the default lanes: lease, node, status, events, default */
  readonly lanes?: Readonly<Partial<Record<LaneName, LaneOptions>>>;
  readonly logger?: Logger;
  readonly onRequest?: (record: RequestRecord) => void;
}

/** A client of one API server. Make one for a process and close it at the end. */
export class KubeClient implements AsyncDisposable {
  readonly config: ClusterConfig;

  constructor(options: KubeClientOptions) {
    this.config = options.config;
  }

  /** Sends a request and parses the answer. Retries what is safe to retry. @throws ApiError, TransportError */
  request<T>(request: KubeRequest): Promise<T> {
    throw new Error(`not implemented: ${request.path}`);
  }

  /** The body of the answer as it comes, for watches and logs, on a connection of its own. @throws ApiError, TransportError */
  stream(request: KubeRequest): Promise<KubeStream> {
    throw new Error(`not implemented: ${request.path}`);
  }

  resource<T extends KubeObject>(type: ResourceType<T>): ResourceClient<T> {
    throw new Error(`not implemented: ${type.kind}`);
  }

  /** A client that acts as somebody else, with connections of its own. To be closed by itself. */
  impersonate(user: Impersonation): KubeClient {
    throw new Error(`not implemented: ${user.user}`);
  }

  /** Aborts what is under way and resolves when all connections are closed. May be called twice. */
  close(): Promise<void> {
    throw new Error('not implemented');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
