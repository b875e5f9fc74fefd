import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { ComponentSpec } from '../components/component.ts';
import { DevClusterError } from '../errors.ts';
import { stopped, transition, type ComponentEvent, type ComponentState } from './component-state.ts';

const probeIntervalMs = 100;

export interface RunnerDependencies {
  /** Starts the program; its output goes to the component's log. */
  readonly launch: (spec: ComponentSpec) => ChildProcess;
  readonly probe: (spec: ComponentSpec) => Promise<boolean>;
  readonly log: (line: string) => void;
}

/** Keeps one program running: the doing around {@link transition}. */
export class ComponentRunner {
  readonly spec: ComponentSpec;
  readonly #dependencies: RunnerDependencies;
  readonly #listeners: Set<() => void> = new Set();
  #state: ComponentState = stopped;
  #child: ChildProcess | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(spec: ComponentSpec, dependencies: RunnerDependencies) {
    this.spec = spec;
    this.#dependencies = dependencies;
  }

  get state(): ComponentState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it is ready, however many attempts that takes; rejects when it is stopped meanwhile or `signal` fires. */
  async start(signal?: AbortSignal): Promise<void> {
    this.#apply({ type: 'start' });
    await this.#until((state) => {
      if (state.phase === 'stopped')
        throw new DevClusterError('startup', `${this.spec.name} was stopped before it was ready`);
      return state.phase === 'running';
    }, signal);
  }

  /** Resolves when its process is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#apply({ type: 'stop', signal });
    await this.#until((state) => state.phase !== 'stopping' || state.restart);
  }

  #apply(event: ComponentEvent): void {
    const before = this.#state;
    const { state, effects } = transition(before, event);
    this.#state = state;
    for (const effect of effects) {
      switch (effect.type) {
        case 'spawn':
          this.#spawn();
          break;
        case 'kill':
          this.#child?.kill(effect.signal);
          break;
        case 'retryLater':
          this.#retry = setTimeout(() => this.#apply({ type: 'retry' }), effect.delayMs);
          break;
        case 'cancelRetry':
          clearTimeout(this.#retry);
          break;
      }
    }
    if (state.phase !== before.phase) this.#dependencies.log(`${this.spec.name}: ${state.phase}`);
    for (const listener of this.#listeners) listener();
  }

  #spawn(): void {
    const child = this.#dependencies.launch(this.spec);
    this.#child = child;
    let ended = false;
    const onEnd = (how: string): void => {
      if (ended) return;
      ended = true;
      this.#child = undefined;
      this.#dependencies.log(`${this.spec.name}: ended, ${how}`);
      this.#apply({ type: 'exited' });
    };
    child.once('error', (error) => onEnd(error.message));
    child.once('exit', (code, signal) => onEnd(signal ?? `exit code ${code}`));
    void this.#untilReady(child);
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    while (this.#child === child) {
      const ready = await this.#dependencies.probe(this.spec);
      if (this.#child !== child) return;
      if (ready) return this.#apply({ type: 'ready' });
      await delay(probeIntervalMs);
    }
  }

  #until(done: (state: ComponentState) => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        this.#listeners.delete(check);
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => finish(() => reject(signal?.reason));
      const check = (): void => {
        try {
          if (done(this.#state)) finish(resolve);
        } catch (error) {
          finish(() => reject(error));
        }
      };
      this.#listeners.add(check);
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted) onAbort();
      else check();
    });
  }
}
