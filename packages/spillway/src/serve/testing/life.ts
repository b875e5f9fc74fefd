import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import type { ClusterConfig } from '@spillway/kube';
import type { InstanceChange, InstanceRef, StopOptions, Workload } from '../../backends/backend.ts';
import type { WholeBackend } from '../../backends/simulated/faulty-backend.ts';
import { trusted } from '../../backends/trusted.ts';
import type { PoolConfig } from '../../config/config.ts';
import { ApiGateway } from './api-gateway.ts';
import { awaitOfApiRequest, awaitOfBackendCall, type IsOrphan, type Moment } from './awaits.ts';
import type { Asked, BackendCall, Told } from './lent-backend.ts';

/** When a process is killed: while it waits for this the `nth` time. */
export interface Death {
  readonly await: string;
  readonly moment: Moment;
  readonly nth: number;
}

/** What outlives the process. */
export interface Surroundings {
  readonly config: ClusterConfig;
  readonly pool: PoolConfig;
  readonly clusterId: string;
  readonly backend: WholeBackend;
  readonly logFile: string;
}

/** One process from its start to its kill -9. Everything that it asks of the world passes here. */
export class Life {
  readonly logFile: string;
  /** How often it waited for what. */
  readonly waits: Map<string, number> = new Map();
  readonly #surroundings: Surroundings;
  readonly #child: ChildProcess;
  readonly #stopWatch = new AbortController();
  readonly #died = Promise.withResolvers<void>();
  readonly #atWork = Promise.withResolvers<void>();
  readonly #successor = Promise.withResolvers<void>();
  #gateway: ApiGateway | undefined;
  #death: Death | undefined;
  #killed: Death | undefined;
  #isOrphan: IsOrphan = () => false;
  #dead = false;
  #lateRequest: Promise<unknown> = Promise.resolve();

  /** Nothing is done before `begin`, only the program is loaded. */
  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.logFile = surroundings.logFile;
    const log = openSync(this.logFile, 'w');
    this.#child = fork(path.join(import.meta.dirname, 'mortal.ts'), {
      execArgv: ['--conditions=spillway-source'],
      serialization: 'advanced',
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#child.on('message', (message) => void this.#asked(trusted<Asked>(message)));
    this.#child.once('exit', () => this.#die());
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Undefined: it lives, or ended in another way. */
  get killed(): Death | undefined {
    return this.#killed;
  }

  get died(): Promise<void> {
    return this.#died.promise;
  }

  /** Resolves when it has heard which instances there are. */
  get atWork(): Promise<void> {
    return this.#atWork.promise;
  }

  async begin(isOrphan: IsOrphan, death?: Death): Promise<void> {
    const { config, pool, clusterId } = this.#surroundings;
    this.#isOrphan = isOrphan;
    this.#death = death;
    this.#gateway = await ApiGateway.open(config, (request, perform) =>
      this.#pass(awaitOfApiRequest(request, isOrphan), perform),
    );
    this.#tell({ kind: 'begin', server: this.#gateway.url, pool, clusterId });
  }

  async kill(): Promise<void> {
    const gone = this.#child.exitCode ?? this.#child.signalCode;
    this.#die();
    if (gone === null) await once(this.#child, 'exit');
  }

  /** The next process is at work: what this one had still sent arrives. Resolves when it has. */
  async succeed(): Promise<void> {
    this.#successor.resolve();
    await this.#lateRequest;
    this.#gateway?.[Symbol.dispose]();
  }

  #dieAsMeant(): void {
    this.#killed ??= this.#dead ? undefined : this.#death;
    this.#die();
  }

  #die(): void {
    this.#child.kill('SIGKILL');
    this.#dead = true;
    this.#stopWatch.abort();
    this.#gateway?.close();
    this.#died.resolve();
  }

  async #pass<T>(name: string | undefined, perform: () => Promise<T>): Promise<T> {
    this.#mustLive();
    const moment = name === undefined ? undefined : this.#fatal(name);
    if (moment === 'late') this.#lateRequest = this.#successor.promise.then(perform);
    if (moment === 'late' || moment === 'before') this.#dieAsMeant();
    this.#mustLive();
    const answer = await perform();
    if (moment === 'after') this.#dieAsMeant();
    this.#mustLive();
    return answer;
  }

  #fatal(name: string): Moment | undefined {
    const nth = (this.waits.get(name) ?? 0) + 1;
    this.waits.set(name, nth);
    const death = this.#death;
    return death?.await === name && death.nth === nth ? death.moment : undefined;
  }

  #mustLive(): void {
    if (this.#dead) throw new Error('the process is dead');
  }

  async #asked({ id, call, args }: Asked): Promise<void> {
    const ref = call === 'create' ? trusted<Workload>(args[0]).ref : trusted<InstanceRef | undefined>(args[0]);
    const name = awaitOfBackendCall(call, ref?.name, this.#isOrphan);
    try {
      const value = await this.#pass(name, async () => await this.#perform(call, args));
      this.#tell({ kind: 'answer', id, value });
      if (call === 'list') this.#atWork.resolve();
    } catch (error) {
      if (!this.#dead) throw error;
    }
  }

  /** Goes on to its end, whatever becomes of who asked. */
  async #perform(call: BackendCall, args: readonly unknown[]): Promise<unknown> {
    const { backend } = this.#surroundings;
    const { signal } = new AbortController();
    const ref = trusted<InstanceRef>(args[0]);
    switch (call) {
      case 'create':
        return await backend.create(trusted<Workload>(args[0]), signal);
      case 'update':
        return await backend.update(ref, trusted<InstanceChange>(args[1]), signal);
      case 'stop':
        return await backend.stop(ref, trusted<StopOptions>(args[1]), signal);
      case 'remove':
        return await backend.remove(ref, signal);
      case 'watch':
        return void this.#watch();
      default:
        return await backend[call](signal);
    }
  }

  async #watch(): Promise<void> {
    const events = this.#surroundings.backend.watch(this.#stopWatch.signal);
    for await (const event of events) this.#tell({ kind: 'event', event });
  }

  #tell(told: Told): void {
    // It may end in this moment, which its exit tells.
    if (!this.#dead) this.#child.send(told, () => {});
  }
}
