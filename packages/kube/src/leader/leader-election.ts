import { type Clock, systemClock } from '../clock.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../errors.ts';
import type { Lease } from '../generated/index.ts';
import { leases } from '../generated/resources.ts';
import type { CallOptions, ResourceClient } from '../resources/resource-client.ts';
import type { KubeClient } from '../transport/client.ts';
import { type Candidate, claimed, heldByOtherMs, holderOf, type Observation, observe, released } from './election.ts';
import { type Clocks, type Leadership, readClocks, Tenure } from './tenure.ts';

export interface LeaderElectionOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Who we are: unique for each run of a process, for example the host's name and a random part. */
  readonly identity: string;
  /** Called each time that we have become the leader, never twice at a time. Settles when all its work has stopped. */
  readonly lead: (leadership: Leadership) => Promise<void>;
  /** A graceful stop: `lead` is told, the lease is renewed until it has ended and then released. */
  readonly signal: AbortSignal;
  /** Others wait so long after the last renewal that they saw. Default: 10 */
  readonly leaseDurationSeconds?: number | undefined;
  /** Without a renewal we stop being the leader after this time; shorter than the duration. Default: 7 */
  readonly renewDeadlineSeconds?: number | undefined;
  /** Between renewals and between tries to become the leader (these up to 1.2 times longer). Default: 2 */
  readonly retryPeriodSeconds?: number | undefined;
  /** Somebody leads, perhaps we; '' is nobody. */
  readonly onHolder?: ((identity: string) => void) | undefined;
  /** A request failed. It is tried again for ever. */
  readonly onError?: ((error: unknown) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** Milliseconds that nobody sets. Default: performance.now */
  readonly monotonic?: (() => number) | undefined;
  /** 0 ≤ x < 1. Default: Math.random */
  readonly random?: (() => number) | undefined;
}

const jitterFactor = 1.2;

/**
 * Stands by, leads, and stands by again when the lead was lost, until `signal` is aborted or `lead` has ended by itself.
 * Two that lead at the same time are impossible as long as the clocks run at the same speed (within 3/10 by default).
 * @throws what `lead` throws, after the lease was released
 */
export async function runLeaderElection(options: LeaderElectionOptions): Promise<void> {
  checkTimes(options);
  const elector = new Elector(options);
  while (!options.signal.aborted) {
    const tenure = await elector.acquire();
    if (tenure === undefined) return;
    if (!(await elector.hold(tenure))) return;
  }
}

function checkTimes({
  leaseDurationSeconds = 10,
  renewDeadlineSeconds = 7,
  retryPeriodSeconds = 2,
}: LeaderElectionOptions): void {
  if (leaseDurationSeconds > renewDeadlineSeconds && renewDeadlineSeconds > retryPeriodSeconds * jitterFactor) return;
  throw new RangeError(
    `leader election: the lease duration (${leaseDurationSeconds} s) must be longer than the renew deadline (${renewDeadlineSeconds} s), and that longer than ${jitterFactor} times the retry period (${retryPeriodSeconds} s)`,
  );
}

class Elector {
  readonly #options: LeaderElectionOptions;
  readonly #candidate: Candidate;
  readonly #clock: Clock;
  readonly #clocks: Clocks;
  readonly #resource: ResourceClient<Lease>;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  #seen: Observation | undefined;
  #holder: string | undefined;

  constructor(options: LeaderElectionOptions) {
    const { identity, namespace, name, leaseDurationSeconds = 10, clock = systemClock } = options;
    this.#options = options;
    this.#candidate = { identity, namespace, name, leaseDurationSeconds };
    this.#clock = clock;
    this.#clocks = { monotonic: options.monotonic ?? (() => performance.now()), wall: () => clock.now() };
    this.#resource = options.client.resource(leases);
    this.#renewDeadlineMs = (options.renewDeadlineSeconds ?? 7) * 1000;
    this.#retryMs = (options.retryPeriodSeconds ?? 2) * 1000;
  }

  /** Resolves when we are the leader; undefined: stopped before. */
  async acquire(): Promise<Tenure | undefined> {
    const { signal, onError, random = Math.random } = this.#options;
    while (!signal.aborted) {
      let waitMs = this.#retryMs * (1 + jitterFactor * random());
      try {
        this.#see(await this.#read(signal));
        const heldMs = this.#heldByOtherMs();
        if (heldMs === 0) {
          const from = readClocks(this.#clocks);
          await this.#claim(signal);
          return new Tenure({ clocks: this.#clocks, renewDeadlineMs: this.#renewDeadlineMs, from, stop: signal });
        }
        // Not later than it can expire. Several that wait do not come at the same moment.
        waitMs = Math.min(waitMs, heldMs + 200 * random());
      } catch (error) {
        // Somebody else was faster: the next reading says who.
        if (!signal.aborted && !isChanged(error)) onError?.(error);
      }
      await this.#clock.sleep(waitMs, signal);
    }
    return undefined;
  }

  /** Leads until that has ended. @returns whether to stand by again */
  async hold(tenure: Tenure): Promise<boolean> {
    const ended = new AbortController();
    const working = this.#work(tenure, ended);
    await Promise.all([
      this.#renew(tenure, ended.signal),
      this.#watchDeadline(tenure, ended.signal),
      working.catch(() => undefined),
    ]);
    const lost = !tenure.held;
    if (!lost) await this.#release(tenure);
    await working;
    return lost && !this.#options.signal.aborted;
  }

  async #work(tenure: Tenure, ended: AbortController): Promise<void> {
    try {
      await this.#options.lead(tenure);
    } finally {
      ended.abort();
    }
  }

  async #renew(tenure: Tenure, ended: AbortSignal): Promise<void> {
    const over = AbortSignal.any([ended, tenure.lost]);
    let waitMs = this.#retryMs;
    while (!over.aborted) {
      await this.#clock.sleep(waitMs, over);
      if (over.aborted || !tenure.held) return;
      const at = readClocks(this.#clocks);
      try {
        await this.#renewOnce(tenure, over);
        tenure.renewed(at);
        waitMs = this.#retryMs;
      } catch (error) {
        waitMs = this.#retryMs / 2;
        if (!over.aborted) this.#options.onError?.(error);
      }
    }
  }

  async #renewOnce(tenure: Tenure, signal: AbortSignal): Promise<void> {
    try {
      await this.#claim(signal);
    } catch (error) {
      if (!isChanged(error)) throw error;
      this.#see(await this.#read(signal));
      const lease = this.#seen?.lease;
      if (lease !== undefined && lease.spec?.holderIdentity !== this.#candidate.identity) {
        tenure.lose(`the lease has another holder: ${lease.spec?.holderIdentity || 'nobody'}`);
        throw error;
      }
      await this.#claim(signal);
    }
  }

  /** Ends the tenure also while a renewal hangs. */
  async #watchDeadline(tenure: Tenure, ended: AbortSignal): Promise<void> {
    const over = AbortSignal.any([ended, tenure.lost]);
    while (!over.aborted && tenure.held) await this.#clock.sleep(tenure.leftMs, over);
  }

  async #release(tenure: Tenure): Promise<void> {
    try {
      await this.#releaseOnce(tenure.lost).catch(async (error: unknown) => {
        if (!isConflict(error)) throw error;
        // A renewal was under way.
        this.#see(await this.#read(tenure.lost));
        await this.#releaseOnce(tenure.lost);
      });
    } catch (error) {
      this.#options.onError?.(error);
    }
  }

  async #releaseOnce(signal: AbortSignal): Promise<void> {
    const lease = this.#seen?.lease;
    if (lease?.spec?.holderIdentity !== this.#candidate.identity) return;
    this.#see(await this.#resource.replace(released(lease, new Date(this.#clock.now())), this.#call(signal)));
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { namespace, name } = this.#candidate;
    try {
      return await this.#resource.get({ namespace, name }, this.#call(signal));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Writes what was seen with our name in it; the server refuses when it has changed since. */
  async #claim(signal: AbortSignal): Promise<void> {
    const lease = this.#seen?.lease;
    const next = claimed(lease, this.#candidate, new Date(this.#clock.now()));
    const call = this.#call(signal);
    this.#see(await (lease === undefined ? this.#resource.create(next, call) : this.#resource.replace(next, call)));
  }

  #see(lease: Lease | undefined): void {
    this.#seen = observe(this.#seen, lease, this.#clocks.monotonic());
    this.#tellHolder(holderOf(this.#seen));
  }

  #heldByOtherMs(): number {
    return this.#seen === undefined ? 0 : heldByOtherMs(this.#seen, this.#candidate, this.#clocks.monotonic());
  }

  #tellHolder(holder: string): void {
    if (holder === this.#holder) return;
    this.#holder = holder;
    this.#options.onHolder?.(holder);
  }

  // A late answer is worth nothing, and the loops repeat it; one that hangs leaves time for another.
  #call(signal: AbortSignal): CallOptions {
    return { lane: 'lease', signal, timeoutMs: this.#renewDeadlineMs / 2, retry: false };
  }
}

/** Somebody else wrote, made or deleted it. */
const isChanged = (error: unknown): boolean => isConflict(error) || isNotFound(error) || isAlreadyExists(error);
