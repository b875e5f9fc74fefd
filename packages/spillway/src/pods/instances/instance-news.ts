import type { Logger } from '@spillway/kube';
import type { Instance, InstanceRef, Notice } from '../../backends/backend.ts';
import { podFields } from '../log.ts';
import type { Registry } from '../registry.ts';
import type { Belief } from './belief.ts';
import type { InstanceSink, ObservedListing } from './instance-observer.ts';
import type { Sweeper } from './sweeper.ts';

/** Writes down which instances there were. */
export type InstanceLedger = Pick<InstanceSink, 'instance' | 'gone' | 'listed'>;

export interface InstanceNewsOptions {
  /** Is told before the pods are. */
  readonly ledger: InstanceLedger | undefined;
  readonly registry: Registry;
  readonly belief: Pick<Belief, 'holds' | 'heldBack'>;
  readonly sweeper: Pick<Sweeper, 'observe' | 'candidates' | 'heldBack'>;
  readonly record: (ref: InstanceRef, notice: Notice) => void;
  /** Have all pods of the node been listed once? */
  readonly podsListed: () => boolean;
  readonly metrics: InstanceMetrics;
  readonly logger: Pick<Logger, 'error'>;
}

export interface InstanceMetrics {
  instances(count: number): void;
  orphans(candidates: number, heldBack: number): void;
  doubleEnded(): void;
  lossesHeldBack(count: number): void;
}

/** What the backend tells of its instances goes to the ledger, to their pods, and to the sweep. */
export class InstanceNews implements InstanceSink {
  readonly #options: InstanceNewsOptions;

  constructor(options: InstanceNewsOptions) {
    this.#options = options;
  }

  instance(instance: Instance, listedMs?: number): void {
    this.#options.ledger?.instance(instance);
    this.#options.registry.instanceSeen(instance, listedMs);
  }

  gone(ref: InstanceRef): void {
    this.#options.ledger?.gone(ref);
    this.#options.registry.instanceGone(ref);
  }

  notice(ref: InstanceRef, notice: Notice): void {
    if (notice.reason === 'Pulled') this.#options.registry.pass(ref, 'imagePulled');
    this.#options.record(ref, notice);
  }

  /** Nothing that we do leads to it, so that somebody should look at it. */
  double(ref: InstanceRef, message: string): void {
    const { record, metrics, logger } = this.#options;
    metrics.doubleEnded();
    logger.error(podFields(ref), message);
    record(ref, { severity: 'Warning', reason: 'DuplicateInstance', message });
  }

  listed(listing: ObservedListing): void {
    const { ledger, registry, belief, sweeper, podsListed, metrics } = this.#options;
    if (!listing.complete) return;
    const isBelieved = belief.holds(listing);
    metrics.lossesHeldBack(belief.heldBack);
    if (!isBelieved) return;
    ledger?.listed(listing);
    registry.listed(listing);
    metrics.instances(listing.instances.length);
    if (!podsListed()) return;
    const leftOver = registry.leftOver();
    const all = new Set([...listing.instances.map(({ ref }) => ref.uid), ...leftOver.keys()]);
    sweeper.observe({ startedMs: listing.startedMs, leftOver, total: all.size });
    metrics.orphans(sweeper.candidates, sweeper.heldBack);
  }
}
