import { type Clock, systemClock } from '@spillway/kube';
import type { Support } from '../../podspec/fit/support.ts';
import type {
  Backend,
  Capabilities,
  Capacity,
  Dismantled,
  DismantleOptions,
  ExecResult,
  OfferedStreams,
  Instance,
  InstanceChange,
  InstanceEvent,
  InstanceRef,
  InstanceUsage,
  Listing,
  LogOptions,
  LogSink,
  PortForwarder,
  Refusal,
  StopOptions,
  Workload,
} from '../backend.ts';
import { BackendError } from '../backend.ts';
import { EventHub } from '../event-hub.ts';
import { changeWorkload } from './change-workload.ts';
import { drawMs } from './duration.ts';
import { halfInstance } from './half-instance.ts';
import { errorOf, FaultDice, isDown, type Scenario, type ScenarioCall } from './scenario.ts';
import { seededRandom } from './seeded-random.ts';

/** It has a place for everything. */
export type WholeBackend = Required<Omit<Backend, 'withdraw' | 'renewHeartbeat' | 'endHeartbeat'>>;

export interface RehearsalDependencies {
  /** What really (or simulated) runs the pods. */
  readonly backend: WholeBackend;
  readonly scenario: Scenario;
  readonly clock?: Clock;
}

interface Lag {
  readonly untilMs: number;
  /** Present: removed, and still listed like this. */
  readonly last?: Instance;
}

/** Accepted, and waiting for a place. */
interface Wait {
  workload: Workload;
}

const placeWithinMs = 20_000;

/** How often a backend that is away is looked at by those who watch it. */
const restartCheckMs = 1000;

/**
 * A backend on which things go wrong as a {@link Scenario} says: answers late, answers with errors, answers that are lost,
 * listings that lag or lack something, watches that break, half-made instances, restarts. What runs is the backend's below.
 */
export class FaultyBackend implements Backend {
  readonly #backend: WholeBackend;
  #scenario: Scenario;
  readonly #clock: Clock;
  readonly #random: () => number;
  #dice: FaultDice;
  readonly #startedMs: number;
  /** Half-made instances: they are listed, cost money, and do nothing. */
  readonly #half = new Map<string, Instance>();
  /** Of them, those that start when there is a place for them. */
  readonly #waits = new Map<string, Wait>();
  readonly #closing = new AbortController();
  readonly #watchers = new Set<EventHub>();
  /** Whoever is made as a whole: another create that is on its way makes no half of it any more. */
  readonly #whole = new Set<string>();
  /** What listings do not know yet. */
  readonly #lags = new Map<string, Lag>();

  constructor({ backend, scenario, clock = systemClock }: RehearsalDependencies) {
    this.#backend = backend;
    this.#scenario = scenario;
    this.#clock = clock;
    this.#random = seededRandom(scenario.seed ?? 1);
    this.#dice = new FaultDice(scenario.faults ?? [], this.#random);
    this.#startedMs = clock.now();
  }

  /** From now on another scenario goes on; its times count from the start of the rehearsal. */
  change(scenario: Scenario): void {
    this.#scenario = scenario;
    this.#dice = new FaultDice(scenario.faults ?? [], this.#random);
  }

  get capabilities(): Capabilities {
    return { ...this.#backend.capabilities, placeWithinMs };
  }

  get support(): Support {
    return this.#backend.support;
  }

  prepare(signal: AbortSignal): Promise<void> {
    return this.#call('prepare', undefined, signal, () => this.#backend.prepare(signal));
  }

  create(workload: Workload, signal: AbortSignal): Promise<void> {
    const { ref } = workload;
    const make = async (): Promise<void> => {
      if (this.#waits.has(ref.uid)) return;
      this.#half.delete(ref.uid);
      this.#whole.add(ref.uid);
      const { placeDelay } = this.#scenario;
      const placeMs = placeDelay === undefined ? 0 : drawMs(placeDelay, this.#random);
      if (placeMs > 0 && !(await this.#exists(ref.uid))) void this.#wait(workload, placeMs);
      else await this.#backend.create(workload, signal);
      this.#lagging(ref.uid);
    };
    return this.#call('create', ref, signal, make, async () => this.#makeHalf(workload));
  }

  stop(ref: InstanceRef, options: StopOptions, signal: AbortSignal): Promise<void> {
    return this.#call('stop', ref, signal, async () => {
      this.#waits.delete(ref.uid);
      const half = this.#half.get(ref.uid);
      if (half) this.#setHalf({ ...half, state: 'ended' });
      await this.#backend.stop(ref, options, signal);
    });
  }

  update(ref: InstanceRef, change: InstanceChange, signal: AbortSignal): Promise<readonly Refusal[]> {
    return this.#call('update', ref, signal, () => {
      const [wait, half] = [this.#waits.get(ref.uid), this.#half.get(ref.uid)];
      if (wait && half) {
        wait.workload = changeWorkload(wait.workload, change);
        this.#setHalf({ ...half, revision: wait.workload.revision });
      }
      return this.#backend.update(ref, change, signal);
    });
  }

  withdraw(ref: InstanceRef, signal: AbortSignal): Promise<boolean> {
    return this.#call('withdraw', ref, signal, async () => {
      const half = this.#half.get(ref.uid);
      if (!this.#waits.delete(ref.uid)) return half === undefined && !(await this.#exists(ref.uid));
      this.#whole.delete(ref.uid);
      this.#dropHalf(ref);
      if (half) this.#lagging(ref.uid, half);
      return true;
    });
  }

  remove(ref: InstanceRef, signal: AbortSignal): Promise<void> {
    return this.#call('remove', ref, signal, async () => {
      const last = this.#half.get(ref.uid) ?? (await this.#find(ref.uid, signal));
      this.#waits.delete(ref.uid);
      this.#whole.delete(ref.uid);
      this.#dropHalf(ref);
      await this.#backend.remove(ref, signal);
      if (last) this.#lagging(ref.uid, last);
    });
  }

  list(signal: AbortSignal): Promise<Listing> {
    return this.#call('list', undefined, signal, async () => {
      const { complete, instances } = await this.#backend.list(signal);
      const all = this.#withLag([...instances, ...this.#half.values()]);
      if (this.#random() >= (this.#scenario.lists?.incompleteChance ?? 0)) return { complete, instances: all };
      return { complete: false, instances: all.filter(() => this.#random() < 0.5) };
    });
  }

  watch(signal: AbortSignal): AsyncIterable<InstanceEvent> {
    const broken = new AbortController();
    const watching = AbortSignal.any([signal, broken.signal]);
    const hub = new EventHub();
    this.#watchers.add(hub);
    const helpers = [pump(this.#backend.watch(watching), hub, broken), this.#breakOnRestart(broken, watching)];
    return this.#watch(hub.watch(watching), signal, async () => {
      broken.abort();
      this.#watchers.delete(hub);
      await Promise.all(helpers);
    });
  }

  logs(ref: InstanceRef, container: string, options: LogOptions, sink: LogSink, signal: AbortSignal): Promise<void> {
    return this.#call('logs', ref, signal, () => this.#backend.logs(ref, container, options, sink, signal));
  }

  exec(
    ref: InstanceRef,
    container: string,
    command: readonly string[],
    streams: OfferedStreams,
    signal: AbortSignal,
  ): Promise<ExecResult> {
    return this.#call('exec', ref, signal, () => this.#backend.exec(ref, container, command, streams, signal));
  }

  attach(ref: InstanceRef, container: string, streams: OfferedStreams, signal: AbortSignal): Promise<ExecResult> {
    return this.#call('attach', ref, signal, () => this.#backend.attach(ref, container, streams, signal));
  }

  portForward(ref: InstanceRef, signal: AbortSignal): Promise<PortForwarder> {
    return this.#call('portForward', ref, signal, () => this.#backend.portForward(ref, signal));
  }

  usage(signal: AbortSignal): Promise<readonly InstanceUsage[]> {
    return this.#call('usage', undefined, signal, () => this.#backend.usage(signal));
  }

  capacity(signal: AbortSignal): Promise<Capacity> {
    return this.#backend.capacity(signal);
  }

  dismantle(signal: AbortSignal, options: DismantleOptions = {}): Promise<Dismantled> {
    return this.#call('remove', undefined, signal, () => this.#backend.dismantle(signal, options));
  }

  ping(signal: AbortSignal): Promise<void> {
    return this.#call('ping', undefined, signal, () => this.#backend.ping(signal));
  }

  close(): Promise<void> {
    this.#closing.abort();
    return this.#backend.close();
  }

  async *#watch(
    events: AsyncIterable<InstanceEvent>,
    signal: AbortSignal,
    close: () => Promise<void>,
  ): AsyncGenerator<InstanceEvent, void, undefined> {
    const { dropChance = 0, loseChance = 0, lag = 0 } = this.#scenario.watches ?? {};
    try {
      this.#mustBeUp();
      for await (const event of events) {
        if (this.#random() < dropChance) throw lost('the watch broke');
        if (this.#random() < loseChance) continue;
        const waitMs = drawMs(lag, this.#random);
        if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
        if (signal.aborted) return;
        yield event;
      }
      if (!signal.aborted) throw lost('the backend restarts');
    } finally {
      await close();
    }
  }

  /** One call with everything that may happen to it. */
  async #call<T>(
    call: ScenarioCall,
    ref: InstanceRef | undefined,
    signal: AbortSignal,
    act: () => Promise<T>,
    half?: () => Promise<void>,
  ): Promise<T> {
    const { latency = {} } = this.#scenario;
    // Half of the time on the way there: what happens meanwhile comes first.
    const roundTripMs = drawMs(latency[call] ?? latency.all ?? 0, this.#random);
    if (roundTripMs > 0) await this.#clock.sleep(roundTripMs / 2, signal);
    throwIfAborted(signal);
    this.#mustBeUp();
    const fault = this.#dice.roll(call, this.#seconds(), ref);
    if (fault === undefined) {
      const answer = await act();
      if (roundTripMs > 0) await this.#clock.sleep(roundTripMs / 2, signal);
      return answer;
    }
    if (fault.effect === 'done') await act();
    else if (fault.effect === 'half') await half?.();
    if (roundTripMs > 0) await this.#clock.sleep(roundTripMs / 2, signal);
    throw errorOf(fault);
  }

  async #makeHalf(workload: Workload): Promise<void> {
    const { uid } = workload.ref;
    if ((await this.#exists(uid)) || this.#half.has(uid) || this.#whole.has(uid)) return;
    this.#setHalf(halfInstance(workload, this.#clock.now()));
    this.#lagging(uid);
  }

  /** Settles when it has a place, or needs none any more. */
  async #wait(workload: Workload, ms: number): Promise<void> {
    const { ref, revision } = workload;
    const wait = { workload };
    this.#waits.set(ref.uid, wait);
    const unplaced = 'there is no capacity left (rehearsal)';
    this.#setHalf({ ...halfInstance(workload, this.#clock.now()), unplaced, revision });
    await this.#clock.sleep(ms, this.#closing.signal);
    if (this.#closing.signal.aborted || this.#waits.get(ref.uid) !== wait) return;
    this.#waits.delete(ref.uid);
    this.#half.delete(ref.uid);
    await this.#backend.create(wait.workload, this.#closing.signal);
  }

  async #exists(uid: string): Promise<boolean> {
    const { instances } = await this.#backend.list(this.#closing.signal);
    return instances.some(({ ref }) => ref.uid === uid);
  }

  #dropHalf(ref: InstanceRef): void {
    if (this.#half.delete(ref.uid)) for (const hub of this.#watchers) hub.gone(ref);
  }

  #setHalf(instance: Instance): void {
    this.#half.set(instance.ref.uid, instance);
    for (const hub of this.#watchers) hub.changed(instance);
  }

  async #find(uid: string, signal: AbortSignal): Promise<Instance | undefined> {
    if (this.#scenario.lists?.lag === undefined) return undefined;
    const { instances } = await this.#backend.list(signal);
    return instances.find(({ ref }) => ref.uid === uid);
  }

  #lagging(uid: string, last?: Instance): void {
    const lag = this.#scenario.lists?.lag;
    if (lag === undefined) return;
    const untilMs = this.#clock.now() + drawMs(lag, this.#random);
    this.#lags.set(uid, { untilMs, ...(last === undefined ? {} : { last }) });
  }

  #withLag(instances: readonly Instance[]): readonly Instance[] {
    const now = this.#clock.now();
    const ghosts: Instance[] = [];
    for (const [uid, { untilMs, last }] of this.#lags) {
      if (untilMs <= now) this.#lags.delete(uid);
      else if (last) ghosts.push(last);
    }
    return [...instances.filter(({ ref }) => !this.#lags.has(ref.uid)), ...ghosts];
  }

  async #breakOnRestart(broken: AbortController, watching: AbortSignal): Promise<void> {
    if ((this.#scenario.restarts ?? []).length === 0) return;
    while (!watching.aborted) {
      await this.#clock.sleep(restartCheckMs, watching);
      if (this.#isDown()) broken.abort();
    }
  }

  #mustBeUp(): void {
    if (this.#isDown()) throw new BackendError('unavailable', 'the backend is away (rehearsal)');
  }

  #isDown(): boolean {
    return isDown(this.#scenario.restarts ?? [], this.#seconds());
  }

  #seconds(): number {
    return (this.#clock.now() - this.#startedMs) / 1000;
  }
}

function lost(what: string): BackendError {
  return new BackendError('unavailable', `${what} (rehearsal)`);
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new BackendError('unavailable', 'given up');
}

/** Hands events on until they end. */
async function pump(events: AsyncIterable<InstanceEvent>, hub: EventHub, broken: AbortController): Promise<void> {
  try {
    for await (const event of events) {
      if (event.type === 'changed') hub.changed(event.instance);
      else if (event.type === 'gone') hub.gone(event.ref);
      else if (event.type === 'gap') hub.gap();
      else if (event.type === 'double') hub.double(event.ref, event.message);
      else hub.notice(event.ref, event.notice);
    }
  } finally {
    broken.abort();
  }
}
