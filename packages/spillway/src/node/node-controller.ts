import {
  doubledMs,
  Informer,
  isAlreadyExists,
  isConflict,
  isNotFound,
  type KubeClient,
  type Logger,
  type Node,
  nodes,
  isOlder,
  runNodeLease,
  uidOf,
} from '@spillway/kube';
import { foreignNodeMessage, isOwnNode, newNode, type NodeFacts } from './node-object.ts';
import { nodeMetadataPatch, nodeStatusPatch } from './node-patch.ts';

export interface NodeControllerOptions {
  readonly nodeName: string;
  /** Writes labels, taints and provider id. */
  readonly controller: Pick<KubeClient, 'resource'>;
  /** Writes status and lease. */
  readonly agent: Pick<KubeClient, 'resource'>;
  /** Is the API server still the one of the cluster in which the node belongs? */
  readonly confirmCluster: (signal: AbortSignal) => Promise<boolean>;
  /** What the node should be now. */
  readonly facts: () => NodeFacts;
  readonly logger: Logger;
  readonly observer: NodeObserver;
  /** Resolves early, and does not reject, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Default: 60,000. */
  readonly heartbeatMs?: number;
}

/** For metrics. */
export interface NodeObserver {
  readonly leaseRenewed: (at: Date) => void;
  readonly leaseFailed: () => void;
  readonly nodeWritten: (what: 'create' | 'metadata' | 'status', result: 'ok' | 'failed') => void;
}

const retry = { firstMs: 500, maxMs: 8000 };

/**
 * Keeps the node object what it should be: made when it is not there, brought back when somebody edits what is ours,
 * its status fresh, its lease renewed. Looks at every change of the object, so all of that within moments.
 */
export class NodeController {
  readonly #options: NodeControllerOptions;
  readonly #informer: Informer<Node>;
  /** Answer to our newest write, until the watch has brought something as new. */
  #answer: Node | undefined;
  #changed = Promise.withResolvers<void>();
  #lastHeartbeatMs = 0;
  #registered = false;
  readonly #free = Promise.withResolvers<void>();
  /** UID of a node that is not ours and has its name. */
  #foreign: string | undefined;

  constructor(options: NodeControllerOptions) {
    this.#options = options;
    const { controller, confirmCluster, nodeName, logger } = options;
    this.#informer = new Informer({
      client: controller,
      type: nodes,
      fieldSelector: `metadata.name=${nodeName}`,
      lane: 'node',
      confirmCluster,
      logger,
      onError: (error) => logger.warn({ err: error }, 'cannot watch the node; trying again'),
    });
    this.#informer.subscribe({
      added: () => this.#look(),
      changed: () => this.#look(),
      synced: () => this.#look(),
      deleted: (node) => {
        this.#look();
        if (isOwnNode(node)) {
          logger.warn({ node: nodeName, uid: uidOf(node) }, 'the node was deleted; registering it again');
        }
        this.#answer = undefined;
      },
    });
  }

  /** Was the node once in the cluster with its status? */
  get registered(): boolean {
    return this.#registered;
  }

  /**
   * Resolves when the name is known to be nobody else's, or the run has ended; pods that are bound to it before are another
   * kubelet's.
   */
  get free(): Promise<void> {
    return this.#free.promise;
  }

  /** The facts have changed. */
  refresh(): void {
    this.#changed.resolve();
  }

  /**
   * Resolves when `signal` is aborted and all has stopped. The node stays as it is.
   *
   * @param known resolves when there is something to write, or the run has ended
   */
  async run(signal: AbortSignal, known: Promise<unknown>): Promise<void> {
    const informer = this.#informer.run(signal).finally(() => this.#free.resolve());
    await Promise.all([this.#free.promise, known]);
    if (!signal.aborted) await Promise.all([this.#reconcileAlways(signal), this.#lease(signal)]);
    await informer;
  }

  /** Is the name ours? */
  #look(): void {
    const { logger, nodeName } = this.#options;
    const live = this.#informer.store.get('', nodeName);
    const foreign = live && !isOwnNode(live) ? live : undefined;
    const uid = foreign && uidOf(foreign);
    if (foreign && uid !== this.#foreign) logger.error({ node: nodeName, uid }, foreignNodeMessage(foreign));
    this.#foreign = uid;
    if (uid === undefined && this.#informer.hasSynced()) this.#free.resolve();
    this.refresh();
  }

  async #reconcileAlways(signal: AbortSignal): Promise<void> {
    const { sleep, logger, heartbeatMs = 60_000 } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      this.#changed = Promise.withResolvers();
      let pauseMs = heartbeatMs;
      try {
        await this.#reconcile(signal);
        failures = 0;
        pauseMs = Math.max(0, this.#lastHeartbeatMs + heartbeatMs - Date.now());
      } catch (error) {
        if (signal.aborted) return;
        if (isConflict(error) || isNotFound(error)) this.#answer = undefined;
        else logger.warn({ err: error }, 'cannot write the node; trying again');
        failures += 1;
        await sleep(doubledMs(failures, retry), signal);
        continue;
      }
      const enough = new AbortController();
      const waiting = sleep(pauseMs, AbortSignal.any([signal, enough.signal]));
      await Promise.race([this.#changed.promise, waiting]);
      enough.abort();
      await waiting;
    }
  }

  async #reconcile(signal: AbortSignal): Promise<void> {
    if (this.#foreign !== undefined) return;
    const { controller, agent, nodeName, facts, heartbeatMs = 60_000 } = this.#options;
    const wanted = facts();
    let live = this.#newest() ?? (await this.#create(wanted, signal));
    if (live === undefined) return;
    const metadata = nodeMetadataPatch(live, wanted);
    if (metadata) {
      const write = controller.resource(nodes).patch({ name: nodeName }, metadata, { lane: 'node', signal });
      live = await this.#written('metadata', write);
    }
    const nowMs = Date.now();
    const heartbeat = nowMs - this.#lastHeartbeatMs >= heartbeatMs;
    const status = nodeStatusPatch(live, wanted, { now: `${new Date(nowMs).toISOString().slice(0, 19)}Z`, heartbeat });
    if (status) {
      const options = { subresource: 'status', lane: 'node', signal };
      await this.#written('status', agent.resource(nodes).patch({ name: nodeName }, status, options));
      if (heartbeat) this.#lastHeartbeatMs = nowMs;
    }
    this.#registered = true;
  }

  async #create(wanted: NodeFacts, signal: AbortSignal): Promise<Node | undefined> {
    const { controller, logger } = this.#options;
    try {
      const node = await this.#written(
        'create',
        controller.resource(nodes).create(newNode(wanted), { lane: 'node', signal }),
      );
      logger.info({ node: wanted.name, uid: uidOf(node) }, 'node registered');
      this.#lastHeartbeatMs = 0;
      return node;
    } catch (error) {
      // The watch will bring it.
      if (isAlreadyExists(error)) return undefined;
      throw error;
    }
  }

  async #written(what: 'create' | 'metadata' | 'status', write: Promise<Node>): Promise<Node> {
    const { observer } = this.#options;
    try {
      this.#answer = await write;
      observer.nodeWritten(what, 'ok');
      return this.#answer;
    } catch (error) {
      observer.nodeWritten(what, 'failed');
      throw error;
    }
  }

  #newest(): Node | undefined {
    const live = this.#informer.store.get('', this.#options.nodeName);
    const answer = this.#answer;
    if (answer === undefined) return live;
    if (live === undefined || isOlder(live, answer)) return answer;
    this.#answer = undefined;
    return live;
  }

  #lease(signal: AbortSignal): Promise<void> {
    const { agent, nodeName, observer, logger } = this.#options;
    return runNodeLease({
      client: agent,
      nodeName,
      nodeUid: async () => {
        const node = this.#newest();
        if (node === undefined) throw new Error(`node ${nodeName} is not registered yet`);
        return uidOf(node);
      },
      signal,
      onRenewed: (at) => observer.leaseRenewed(at),
      onError: (error) => {
        if (this.#newest() === undefined) return;
        observer.leaseFailed();
        logger.warn({ err: error }, 'cannot renew the lease of the node; trying again');
      },
    });
  }
}
