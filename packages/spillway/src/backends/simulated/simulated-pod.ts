import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock, Container, ContainerState, ContainerStatus } from '@spillway/kube';
import { containersOf, type PodContainer, startingReason } from '../../podspec/containers.ts';
import { expandAll, fillLate } from '../../podspec/env.ts';
import type { Notice } from '../../podspec/notice.ts';
import { roleOf } from '../../podspec/resources.ts';
import type { Instance, InstanceChange, Workload } from '../backend.ts';
import { changeWorkload } from './change-workload.ts';
import { Ending } from './ending.ts';
import { nextBackoff, restartAt } from './restart-backoff.ts';
import type { ResolvedSimulatedOptions } from './options.ts';
import { SimulatedLog } from './simulated-log.ts';
import { isKnown, runCommand, type Surroundings } from './tiny-shell.ts';

/** What is kept of a pod across processes. */
export interface PodRecord {
  readonly acceptedAt: number;
  readonly podIP: string;
  readonly stopBy?: number;
  readonly containers: Readonly<Record<string, ContainerRecord>>;
}

export interface ContainerRecord {
  readonly restartCount: number;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
  readonly backoffMs: number;
  readonly createdAt: number;
}

export interface SimulatedPodDependencies {
  readonly options: ResolvedSimulatedOptions;
  readonly clock: Clock;
  readonly changed: () => void;
  readonly notify: (notice: Notice) => void;
}

const interrupted = 143;

/** One pretended pod: its containers start after a delay, run what the tiny shell understands, and end when they are told. */
export class SimulatedPod {
  #workload: Workload;
  readonly #dependencies: SimulatedPodDependencies;
  readonly #logs = new Map<string, SimulatedLog[]>();
  /** Of containers that read input and run. */
  readonly #inputs = new Map<string, PassThrough>();
  /** It is told to stop, or killed. */
  readonly #ending = new Ending();
  /** It is gone at once, or the process ends. */
  readonly #killing = new Ending();
  /** What each container runs, or ran last. */
  readonly #runs = new Map<string, Run>();
  #record: PodRecord;
  #living: Promise<void> | undefined;
  #ended = false;

  constructor(workload: Workload, record: PodRecord, dependencies: SimulatedPodDependencies) {
    this.#workload = workload;
    this.#record = record;
    this.#dependencies = dependencies;
    if (record.stopBy !== undefined) this.#ending.call();
  }

  get workload(): Workload {
    return this.#workload;
  }

  get record(): PodRecord {
    return this.#record;
  }

  get instance(): Instance {
    const { spec } = this.workload.pod;
    const statuses = containersOf(this.workload.pod).map((each) => ({ init: each.init, status: this.#status(each) }));
    return {
      ref: this.workload.ref,
      state: this.#state(),
      podIPs: [this.#record.podIP],
      startTime: time(this.#record.acceptedAt),
      ...(spec && { spec }),
      revision: this.workload.revision,
      initContainerStatuses: statuses.filter(({ init }) => init).map(({ status }) => status),
      containerStatuses: statuses.filter(({ init }) => !init).map(({ status }) => status),
    };
  }

  /** Lives until its containers have ended for good. */
  start(): void {
    this.#living ??= this.#live();
  }

  stop(graceSeconds: number): void {
    const stopBy = this.#dependencies.clock.now() + graceSeconds * 1000;
    this.#record = { ...this.#record, stopBy: Math.min(stopBy, this.#record.stopBy ?? stopBy) };
    this.#end();
    this.#dependencies.changed();
  }

  /** A container of another image is started anew, as by a kubelet. */
  update(change: InstanceChange): void {
    const before = imagesOf(this.#workload);
    this.#workload = changeWorkload(this.#workload, change);
    for (const [name, image] of imagesOf(this.#workload)) {
      if (before.get(name) !== image) this.#runs.get(name)?.replace();
    }
    if (change.workload) this.#dependencies.changed();
  }

  /** Ends at once. Settles when nothing of it runs any more. */
  async kill(): Promise<void> {
    this.#killing.call();
    this.#end();
    await this.#living;
  }

  /** Logs of a container, the latest attempt last. */
  logsOf(container: string): readonly SimulatedLog[] {
    return this.#logs.get(container) ?? [];
  }

  /** Runs a command beside a container's own. */
  async exec(
    container: Container,
    command: readonly string[],
    io: Pick<Surroundings, 'stdin' | 'stdout' | 'stderr'>,
    signal: AbortSignal,
  ): Promise<number> {
    return await this.#killing.during((killed) =>
      runCommand(command, { ...this.#surroundings(container), ...io }, AbortSignal.any([signal, killed])),
    );
  }

  /** Gives input to what a container runs, if it reads any, and takes it to its end. */
  async feed({ name, stdinOnce = false }: Container, input: Readable, signal: AbortSignal): Promise<void> {
    const to = this.#inputs.get(name);
    if (to) await pipeline(input, to, { end: stdinOnce, signal });
  }

  async #live(): Promise<void> {
    const { clock, options, changed } = this.#dependencies;
    const all = containersOf(this.workload.pod);
    const started = Object.keys(this.#record.containers).length > 0;
    if (!started) await this.#ending.during((stopped) => clock.sleep(options.startDelayMs(), stopped));
    const sidecars: Promise<unknown>[] = [];
    for (const each of all) {
      if (!each.init || this.#ending.called) continue;
      if (isSidecar(each)) sidecars.push(this.#keepRunning(each));
      // Without its init containers a pod never gets further.
      else if ((await this.#keepRunning(each)) !== 0) this.#end();
    }
    await Promise.all(all.filter(({ init }) => !init).map((each) => this.#keepRunning(each)));
    if (sidecars.length > 0) this.#end();
    await Promise.all(sidecars);
    this.#ended = true;
    if (!this.#killing.called) changed();
  }

  /** What runs comes to its end. */
  #end(): void {
    this.#ending.call();
    for (const run of this.#runs.values()) run.call();
  }

  /** Starts a container again and again, as its pod's restart policy says. Resolves with the last exit code. */
  async #keepRunning(each: PodContainer): Promise<number | undefined> {
    const { clock } = this.#dependencies;
    const { name } = each.container;
    for (;;) {
      const before = this.#record.containers[name];
      const finished = before?.state.terminated ?? before?.lastState.terminated;
      const again = before === undefined || before.state.running || finished === undefined;
      if (!again && !this.#runs.get(name)?.replaced) {
        if (this.#isFinal(each, finished.exitCode)) return finished.exitCode;
        await this.#backOff(each, before, Date.parse(finished.finishedAt ?? ''));
      }
      if (this.#ending.called && !before?.state.running) return finished?.exitCode;
      const container = containersOf(this.workload.pod).find(({ fieldPath }) => fieldPath === each.fieldPath);
      await this.#runOnce(container ?? each, before, clock.now());
      if (this.#ending.called) return this.#record.containers[name]?.state.terminated?.exitCode;
    }
  }

  async #backOff({ container, fieldPath }: PodContainer, before: ContainerRecord, finishedAt: number): Promise<void> {
    const { clock, notify } = this.#dependencies;
    const wait = restartAt({ ...before, finishedAt }) - clock.now();
    if (wait <= 0) return;
    const { name, namespace, uid } = this.workload.ref;
    const message = `Back-off restarting failed container ${container.name} in pod ${name}_${namespace}(${uid})`;
    notify({ severity: 'Warning', reason: 'BackOff', message, fieldPath });
    const state = { waiting: { reason: 'CrashLoopBackOff', message } };
    this.#set(container.name, { ...before, state, lastState: before.state });
    await this.#ending.during((stopped) => clock.sleep(wait, stopped));
  }

  async #runOnce(
    { container, fieldPath }: PodContainer,
    before: ContainerRecord | undefined,
    now: number,
  ): Promise<void> {
    const { clock, notify, options } = this.#dependencies;
    const { name } = container;
    const resumed = before?.state.running !== undefined;
    const log = this.#openLog(name);
    if (!resumed) {
      this.#set(name, nextRecord(before, now));
      notify({
        severity: 'Normal',
        reason: 'Pulled',
        message: `Container image "${container.image}" already present on machine`,
        fieldPath,
      });
      notify({ severity: 'Normal', reason: 'Created', message: 'Container created', fieldPath });
      notify({ severity: 'Normal', reason: 'Started', message: 'Container started', fieldPath });
    }
    const code = await this.#process(container, log);
    if (this.#ending.called && !this.#killing.called && code === interrupted) {
      notify({ severity: 'Normal', reason: 'Killing', message: `Stopping container ${name}`, fieldPath });
      const left = Math.max((this.#record.stopBy ?? 0) - clock.now(), 0);
      await this.#killing.during((killed) => clock.sleep(Math.min(options.stopDelayMs, left), killed));
    }
    log.end();
    if (this.#killing.called) return;
    const record = this.#record.containers[name];
    if (record) this.#set(name, { ...record, state: { terminated: this.#terminated(record, code) } });
  }

  async #process(container: Container, log: SimulatedLog): Promise<number> {
    const run = new Run();
    this.#runs.set(container.name, run);
    if (this.#ending.called) run.call();
    const command = this.#commandOf(container);
    if (command.length > 0 && isKnown(command)) return await this.#runKnown(container, command, run, log);
    this.#sayWhatItIs(container, command, log);
    await run.wait();
    return interrupted;
  }

  #sayWhatItIs({ name, image }: Container, command: readonly string[], log: SimulatedLog): void {
    const what = command.length === 0 ? 'its entrypoint' : command.join(' ');
    const text = Buffer.from(`simulated container ${name} of ${image} runs ${what}\n`);
    log.write(this.#dependencies.clock.now(), 'Stdout', text);
  }

  #commandOf({ name, command = [], args = [] }: Container): string[] {
    return expandAll([...command, ...args], this.#environment(name));
  }

  async #runKnown(container: Container, command: readonly string[], run: Run, log: SimulatedLog): Promise<number> {
    const { clock } = this.#dependencies;
    const write = (stream: 'Stdout' | 'Stderr') => async (text: Uint8Array) => log.write(clock.now(), stream, text);
    return await run.during(async (ending) => {
      const around = this.#surroundings(container);
      const input = new PassThrough();
      const stdin = container.stdin ? chunksUntil(input, ending) : around.stdin;
      if (container.stdin) this.#inputs.set(container.name, input);
      const process = { ...around, stdin, stdout: write('Stdout'), stderr: write('Stderr') };
      const code = await runCommand(command, process, ending);
      this.#inputs.delete(container.name);
      return ending.aborted ? interrupted : code;
    });
  }

  #environment(container: string): Map<string, string> {
    const { environment, hostIPs } = this.workload;
    return fillLate(environment.get(container) ?? [], { podIPs: [this.#record.podIP], hostIPs });
  }

  #surroundings(container: Container): Surroundings {
    return {
      environment: this.#environment(container.name),
      file: (path) => {
        const mount = container.volumeMounts?.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
        const volume = mount && this.workload.volumes.get(mount.name);
        const inside = path.slice((mount?.mountPath.length ?? 0) + 1);
        return volume?.kind === 'files' ? volume.files.find((file) => file.path === inside)?.content : undefined;
      },
      stdin: empty(),
      stdout: discard,
      stderr: discard,
      clock: this.#dependencies.clock,
    };
  }

  #isFinal(each: PodContainer, exitCode: number): boolean {
    const { restartPolicy } = this.workload.pod.spec ?? {};
    if (isSidecar(each)) return false;
    if (restartPolicy === 'Never') return true;
    return exitCode === 0 && (each.init || restartPolicy === 'OnFailure');
  }

  #terminated({ state }: ContainerRecord, exitCode: number): NonNullable<ContainerState['terminated']> {
    const { startedAt = '' } = state.running ?? {};
    const finishedAt = time(this.#dependencies.clock.now());
    return { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt, finishedAt };
  }

  #status(each: PodContainer): ContainerStatus {
    const { container, init } = each;
    const { name, image = '' } = container;
    const record = this.#record.containers[name];
    const waiting: ContainerState = { waiting: { reason: startingReason(this.workload.pod) } };
    const { state = waiting, lastState = {}, restartCount = 0 } = record ?? {};
    const running = state.running !== undefined;
    return {
      name,
      image,
      imageID: record ? `simulated://${image}` : '',
      ...(record && { containerID: `simulated://${this.workload.ref.uid}/${name}/${restartCount}` }),
      state,
      lastState,
      restartCount,
      started: running,
      ready: init && !isSidecar(each) ? state.terminated?.exitCode === 0 : running,
    };
  }

  #state(): Instance['state'] {
    if (this.#ended) return 'ended';
    if (this.#record.stopBy !== undefined) return 'stopping';
    const { containers = [] } = this.workload.pod.spec ?? {};
    return containers.every(({ name }) => this.#record.containers[name]) ? 'running' : 'starting';
  }

  #openLog(name: string): SimulatedLog {
    const log = new SimulatedLog();
    this.#logs.set(name, [...this.logsOf(name).slice(-1), log]);
    return log;
  }

  #set(name: string, record: ContainerRecord): void {
    this.#record = { ...this.#record, containers: { ...this.#record.containers, [name]: record } };
    this.#dependencies.changed();
  }
}

const isSidecar = ({ container, init }: PodContainer): boolean => roleOf(container, init) === 'sidecar';

class Run extends Ending {
  #replaced = false;

  /** The container is to be started anew. */
  get replaced(): boolean {
    return this.#replaced;
  }

  replace(): void {
    this.#replaced = true;
    this.call();
  }
}

function imagesOf({ pod }: Workload): Map<string, string | undefined> {
  return new Map(containersOf(pod).map(({ container: { name, image } }) => [name, image]));
}

function nextRecord(before: ContainerRecord | undefined, now: number): ContainerRecord {
  const running = { running: { startedAt: time(now) } };
  if (!before) return { restartCount: 0, state: running, lastState: {}, backoffMs: 0, createdAt: now };
  const terminated = before.state.terminated ?? before.lastState.terminated;
  const finishedAt = Date.parse(terminated?.finishedAt ?? '') || now;
  return {
    restartCount: before.restartCount + 1,
    state: running,
    lastState: terminated ? { terminated } : {},
    backoffMs: nextBackoff({ ...before, finishedAt }),
    createdAt: now,
  };
}

async function discard(): Promise<void> {}

/** What is read until the stream ends or the signal aborts. */
async function* chunksUntil(stream: PassThrough, signal: AbortSignal): AsyncIterable<Uint8Array> {
  signal.addEventListener('abort', () => stream.end(), { once: true });
  yield* stream;
}

async function* empty(): AsyncIterable<Uint8Array> {}

function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
