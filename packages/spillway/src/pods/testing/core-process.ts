import {
  type KubeClient,
  type Leadership,
  runLeaderElection,
  silentLogger,
  type Timing,
  TransportError,
} from '@spillway/kube';
import { type Backend, BackendError, type InstanceRef, type Notice, type Workload } from '../../backends/backend.ts';
import type { FaultyBackend } from '../../backends/simulated/faulty-backend.ts';
import { guardedBackend } from '../../pool/guarded-backend.ts';
import { Preparation } from '../../pool/preparation.ts';
import type { RuleSetName } from '../../podspec/sizing/rule-sets.ts';
import { podController } from '../assemble.ts';
import type { PodController } from '../pod-controller.ts';
import type { FakePodsApi } from './fake-pods-api.ts';
import { ProcessTiming } from './process-timing.ts';

export interface ProcessOptions {
  readonly identity: string;
  readonly nodeName: string;
  /** Is it one of several, of which one leads? */
  readonly elected: boolean;
  readonly world: Timing;
  /** It starts when this has resolved. Default: at once */
  readonly after?: Promise<void> | undefined;
  readonly random: () => number;
  readonly api: FakePodsApi;
  readonly backend: FaultyBackend;
  readonly sizing: RuleSetName;
  readonly keepEndedMs: number;
  /** It takes no pods, and why, or is `open`. */
  readonly onPool: (what: string) => void;
  readonly record: (ref: InstanceRef, notice: Notice) => void;
  readonly recordOnNode: (notice: Notice) => void;
  readonly onReady: (seconds: number) => void;
  /** A pod was looked at, and had a status. */
  readonly onStep: () => void;
  readonly violate: (what: string) => void;
  /** A create is on its way. @param serves does the process that has sent it serve the node, at this time? */
  readonly createSent: (workload: Workload, serves: () => boolean) => void;
}

/** What a process waits for the answer to. */
export type Verb =
  | 'look'
  | 'prepare'
  | 'create'
  | 'update'
  | 'withdraw'
  | 'stop'
  | 'remove'
  | 'list'
  | 'read'
  | 'patch'
  | 'delete';

const changing: ReadonlySet<Verb> = new Set([
  'prepare',
  'create',
  'update',
  'withdraw',
  'stop',
  'remove',
  'patch',
  'delete',
]);

export interface Pause {
  readonly forMs: number;
  /** As of a machine that is suspended. */
  readonly clockStops: boolean;
}

/** A pause at the next request of a kind. */
export interface PauseAt extends Pause {
  readonly verb: Verb;
  /** Before it is sent; after that, and it takes until then to arrive; or before its answer is heard. */
  readonly when: 'before' | 'late' | 'after';
}

/** One process of Spillway, as far as it has to do with pods, and what can happen to it. */
export class CoreProcess {
  readonly options: ProcessOptions;
  readonly timing: ProcessTiming;
  readonly #stopping = new AbortController();
  readonly #dead = new AbortController();
  #controller: PodController | undefined;
  #pauseAt: PauseAt | undefined;
  /** It has slept, its clock tells it nothing of that, and until the leases have another version than this it has not found out. */
  #unawareSince: number | undefined;
  /** It does not reach the API server, but its backend. */
  cutOff = false;
  #hasEnded = false;
  /** Resolves when nothing of it runs any more. */
  readonly ended: Promise<void>;

  constructor(options: ProcessOptions) {
    this.options = options;
    this.timing = new ProcessTiming(options.world);
    this.ended = this.#run().finally(() => (this.#hasEnded = true));
  }

  get controller(): PodController | undefined {
    return this.#controller;
  }

  /** As SIGTERM. */
  stop(): void {
    this.#stopping.abort();
  }

  /** As kill -9: nothing more is sent or heard; what was sent goes on. */
  kill(): void {
    this.#dead.abort();
    this.#stopping.abort();
    this.timing.resume();
  }

  pause({ forMs, clockStops }: Pause): void {
    if (this.#dead.signal.aborted) return;
    if (clockStops) this.#unawareSince = Number.POSITIVE_INFINITY;
    this.timing.pause(clockStops);
    this.options.world.after(forMs, () => this.#wake());
  }

  pauseAt(pause: PauseAt): void {
    this.#pauseAt = pause;
  }

  resume(): void {
    this.#pauseAt = undefined;
    this.#wake();
  }

  #wake(): void {
    if (this.#unawareSince !== undefined && this.timing.isPaused) this.#unawareSince = this.options.api.leases.version;
    this.timing.resume();
  }

  async #run(): Promise<void> {
    const { elected, identity, api, random, after } = this.options;
    const { signal } = this.#stopping;
    if (after) await after;
    if (signal.aborted) return;
    if (!elected) {
      await this.#serve({ signal, lost: this.#dead.signal, check: () => {} });
      return;
    }
    const line = new Line(this, { lost: this.#dead.signal, check: () => {} });
    await runLeaderElection({
      client: line.client(api.client()),
      namespace: 'spillway-system',
      name: 'pool',
      identity,
      signal,
      clock: this.timing,
      monotonic: this.timing.now,
      random,
      lead: (leadership) => this.#serve(leadership),
    });
  }

  /** As a pool does, see `pool/assemble.ts`. */
  async #serve(leadership: Leadership): Promise<void> {
    const { nodeName, api, random, sizing, keepEndedMs, onPool, record, recordOnNode, onReady, onStep, violate } =
      this.options;
    const line = new Line(this, leadership);
    const { timing } = this;
    const backend = guardedBackend(line.backend(), leadership);
    const preparation = new Preparation({
      backend,
      onError: () => {},
      sleep: timing.sleep,
      onPrepared: () => controller.retryAll(),
    });
    const client = line.client(api.client());
    const facts = { hostIPs: ['10.0.0.1'], allocatable: {}, dns: { clusterServers: [], clusterDomain: '' } };
    const controller = podController({
      node: { name: nodeName, taints: [], labels: {}, sizing, daemonSets: 'placeholder', facts: () => facts },
      cluster: {
        agent: client,
        controller: client,
        confirm: () => line.toApi('read', () => api.isThisCluster()),
      },
      backend,
      preparation,
      blockade: { refused: (kind) => onPool(kind), accepted: () => onPool('open') },
      told: {
        record,
        recordOnNode,
        ledger: undefined,
        metrics: { ...silentMetrics, stepTaken: onStep, podReady: ({ totalSeconds }) => onReady(totalSeconds) },
        logger: {
          ...silentLogger,
          error: (fields, message) => {
            if (/defect|nobody foresaw/.test(message)) violate(`${message}: ${String(Reflect.get(fields, 'err'))}`);
          },
        },
      },
      sweep: { graceMs: 30_000 },
      keepEndedMs,
      timing,
      random,
      stopGraceMs: () => (leadership.lost.aborted ? 0 : 5000),
    });
    this.#controller = controller;
    await Promise.all([controller.run(leadership.signal), preparation.run(leadership.signal)]);
    this.#controller = undefined;
  }

  // --- for its connections

  get dead(): AbortSignal {
    return this.#dead.signal;
  }

  takePause(verb: Verb): PauseAt | undefined {
    if (this.#pauseAt?.verb !== verb) return undefined;
    const pause = this.#pauseAt;
    this.#pauseAt = undefined;
    return pause;
  }

  get serves(): boolean {
    const { elected, identity, api } = this.options;
    return !this.dead.aborted && !this.#hasEnded && (!elected || api.leases.holderOf('pool') === identity);
  }

  /** Whoever can know that another leads changes nothing. */
  sends(verb: Verb): void {
    const { elected, identity, api, violate } = this.options;
    if (!elected || !changing.has(verb)) return;
    const holder = api.leases.holderOf('pool');
    const isAware = this.#unawareSince === undefined || api.leases.version > this.#unawareSince;
    if (holder === identity && isAware) this.#unawareSince = undefined;
    if (holder !== identity && this.#unawareSince === undefined)
      violate(`${identity} asks to ${verb}, and ${holder || 'nobody'} leads`);
  }
}

/** What connects a process with the world, as long as it may act. */
class Line {
  readonly #process: CoreProcess;
  readonly #leadership: Pick<Leadership, 'lost' | 'check'>;
  readonly #severed = Promise.withResolvers<void>();

  constructor(process: CoreProcess, leadership: Pick<Leadership, 'lost' | 'check'>) {
    this.#process = process;
    this.#leadership = leadership;
    for (const end of [process.dead, leadership.lost]) {
      end.addEventListener('abort', () => this.#severed.resolve(), { once: true });
    }
  }

  async toApi<T>(verb: Verb, call: () => Promise<T>): Promise<T> {
    if (this.#process.cutOff) throw unreachable();
    return await this.#send(verb, call, (cause) => new TransportError('aborted', 'given up', { cause }));
  }

  async #toBackend<T>(verb: Verb, call: () => Promise<T>, onSent?: () => void): Promise<T> {
    return await this.#send(verb, call, (cause) => new BackendError('unavailable', 'given up', { cause }), onSent);
  }

  /** What was sent goes on when the process is dead or leads no more, but it does not hear the answer. */
  async #send<T>(
    verb: Verb,
    call: () => Promise<T>,
    givenUp: (cause?: unknown) => Error,
    onSent?: () => void,
  ): Promise<T> {
    const { timing, options, dead } = this.#process;
    const pause = this.#process.takePause(verb);
    if (pause?.when === 'before') this.#process.pause(pause);
    await timing.awake();
    if (dead.aborted) throw givenUp();
    try {
      this.#leadership.check();
    } catch (error) {
      throw givenUp(error);
    }
    this.#process.sends(verb);
    onSent?.();
    const answer = pause?.when === 'late' ? options.world.sleep(pause.forMs).then(call) : call();
    if (pause !== undefined && pause.when !== 'before') this.#process.pause(pause);
    const severed = this.#severed.promise.then(() => Promise.reject(givenUp()));
    const [heard] = await Promise.allSettled([Promise.race([answer, severed])]);
    await timing.awake();
    if (heard.status === 'rejected') throw heard.reason;
    return heard.value;
  }

  /** Like one that needs several requests for what it does, and may be interrupted between them. */
  backend(): Backend {
    const { backend } = this.#process.options;
    const forever = new AbortController().signal;
    const look = async (): Promise<void> => {
      if (this.#process.options.elected) await this.#toBackend('look', () => backend.ping(forever));
    };
    return {
      capabilities: backend.capabilities,
      support: backend.support,
      prepare: () => this.#toBackend('prepare', () => backend.prepare(forever)),
      dismantle: () => backend.dismantle(forever),
      create: async (workload) => {
        await look();
        const sent = (): void => this.#process.options.createSent(workload, () => this.#process.serves);
        await this.#toBackend('create', () => backend.create(workload, forever), sent);
      },
      stop: async (ref, options) => {
        await look();
        await this.#toBackend('stop', () => backend.stop(ref, options, forever));
      },
      update: async (ref, change) => {
        await look();
        return await this.#toBackend('update', () => backend.update(ref, change, forever));
      },
      withdraw: async (ref) => {
        await look();
        return await this.#toBackend('withdraw', () => backend.withdraw(ref, forever));
      },
      remove: async (ref) => {
        await look();
        await this.#toBackend('remove', () => backend.remove(ref, forever));
      },
      list: (signal) => this.#toBackend('list', () => backend.list(signal)),
      watch: (signal) => this.#heard(backend.watch(AbortSignal.any([signal, this.#process.dead]))),
      usage: (signal) => backend.usage(signal),
      capacity: (signal) => backend.capacity(signal),
      ping: (signal) => backend.ping(signal),
      close: async () => {},
    };
  }

  client(client: Pick<KubeClient, 'resource'>): Pick<KubeClient, 'resource'> {
    const { resource } = client;
    return {
      resource: (type) => {
        const real = resource(type);
        return {
          ...real,
          get: (ref, options) => this.toApi('read', () => real.get(ref, options)),
          list: (options) => this.toApi('read', () => real.list(options)),
          pages: (options) => this.#reached(() => real.pages(options)),
          watch: (options) => this.#reached(() => real.watch(options)),
          create: (object, options) => this.toApi('read', () => real.create(object, options)),
          replace: (object, options) => this.toApi('read', () => real.replace(object, options)),
          patch: (ref, patch, options) => this.toApi('patch', () => real.patch(ref, patch, options)),
          delete: (ref, options) => this.toApi('delete', () => real.delete(ref, options)),
        };
      },
    };
  }

  async *#reached<T>(open: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    await this.#process.timing.awake();
    if (this.#process.cutOff) throw unreachable();
    yield* this.#heard(open());
  }

  async *#heard<T>(events: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    for await (const event of events) {
      await this.#process.timing.awake();
      if (this.#process.dead.aborted) return;
      yield event;
    }
    await this.#process.timing.awake();
  }
}

const unreachable = (): Error => new TransportError('unreachable', 'no route to the API server');

const silentMetrics = {
  podReady: () => {},
  operationStarted: () => {},
  operationEnded: () => {},
  statusWritten: () => {},
  listed: () => {},
  instances: () => {},
  orphans: () => {},
  orphanRemoved: () => {},
  doubleEnded: () => {},
  lossesHeldBack: () => {},
};
