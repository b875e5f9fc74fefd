import { Backoff } from '../backoff.ts';
import { type Clock, systemClock } from '../clock.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../errors.ts';
import type { Lease } from '../generated/index.ts';
import { leases } from '../generated/resources.ts';
import type { ResourceClient } from '../resources/resource-client.ts';
import type { KubeClient } from '../transport/client.ts';
import { nodeLeaseNamespace as namespace, renewedLease } from './lease-object.ts';

export interface NodeLeaseOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  readonly nodeName: string;
  /**
   * UID of the node object, which owns the lease. Asked before every write, so that the lease follows a node that was
   * made anew. When it fails, an existing lease is renewed with the owner that it has, a new one is not made.
   */
  readonly nodeUid: () => Promise<string>;
  /** Default: 40 */
  readonly durationSeconds?: number | undefined;
  /** Default: 10,000; lengthened by up to 4 % as in the kubelet */
  readonly renewIntervalMs?: number | undefined;
  readonly signal: AbortSignal;
  readonly onRenewed?: ((at: Date) => void) | undefined;
  /** The lease is tried again for ever. */
  readonly onError?: ((error: unknown) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** 0 ≤ x < 1. Default: Math.random */
  readonly random?: (() => number) | undefined;
}

const immediateTries = 3;

/** Keeps the node's lease fresh until `signal` is aborted. Never rejects. A node has one such loop. */
export async function runNodeLease(options: NodeLeaseOptions): Promise<void> {
  const { signal, renewIntervalMs = 10_000, clock = systemClock, random = Math.random } = options;
  const backoff = new Backoff({ firstMs: 200, maxMs: 7_000, resetAfterMs: renewIntervalMs, random });
  const lease = new NodeLease(options, clock);
  while (!signal.aborted) {
    let waitMs: number;
    try {
      const at = await lease.renew();
      options.onRenewed?.(at);
      waitMs = renewIntervalMs * (1 + 0.04 * random());
    } catch (error) {
      if (signal.aborted) return;
      options.onError?.(error);
      waitMs = backoff.next(clock.now());
    }
    await clock.sleep(waitMs, signal);
  }
}

class NodeLease {
  readonly #options: NodeLeaseOptions;
  readonly #clock: Clock;
  readonly #resource: ResourceClient<Lease>;
  /** As the server last answered it; undefined: has to be read */
  #latest: Lease | undefined;

  constructor(options: NodeLeaseOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#resource = options.client.resource(leases);
  }

  async renew(): Promise<Date> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#write();
      } catch (error) {
        // Somebody else wrote, made or deleted it. Other errors say nothing about the lease.
        const changed = isConflict(error) || isNotFound(error) || isAlreadyExists(error);
        if (changed) this.#latest = undefined;
        if (!changed || attempt === immediateTries) throw error;
      }
    }
  }

  async #write(): Promise<Date> {
    const { nodeName: name, signal, durationSeconds = 40 } = this.#options;
    // A renewal that comes late is worth nothing, and the loop repeats it.
    const call = { lane: 'lease', signal, timeoutMs: 10_000, retry: false };
    this.#latest ??= await this.#resource.get({ namespace, name }, call).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const node = { name, uid: await this.#nodeUid() };
    const at = new Date(this.#clock.now());
    const next = renewedLease(this.#latest, { node, at, durationSeconds });
    this.#latest =
      this.#latest === undefined ? await this.#resource.create(next, call) : await this.#resource.replace(next, call);
    return at;
  }

  async #nodeUid(): Promise<string | undefined> {
    try {
      return await this.#options.nodeUid();
    } catch (error) {
      if (this.#latest === undefined) throw error;
      return undefined;
    }
  }
}
