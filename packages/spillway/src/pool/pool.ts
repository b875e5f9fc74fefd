import type { EventRecorder, KubeClient, Leadership } from '@spillway/kube';
import type { Backend } from '../backends/backend.ts';
import type { LedgerRecorder } from '../ledger/ledger-recorder.ts';
import type { NodeController } from '../node/node-controller.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { PodController } from '../pods/pod-controller.ts';
import type { UsageSampler } from '../usage/usage-sampler.ts';
import type { BackendHealth } from './backend-health.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { KubeletApi } from './kubelet-api.ts';
import type { PoolCapacity } from './pool-capacity.ts';
import { podPhases, type PoolMetrics } from './pool-metrics.ts';
import { type PoolState, startingOrServing, stopping } from './pool-state.ts';
import type { Preparation } from './preparation.ts';
import { runTogether } from './task-group.ts';

/** What a pool is made of; put together in `assemble.ts`. */
export interface PoolParts {
  /** Client of the node agent. */
  readonly agent: KubeClient;
  readonly backend: Backend;
  readonly health: BackendHealth;
  readonly preparation: Preparation;
  readonly capacity: PoolCapacity;
  readonly usage: UsageSampler;
  readonly heartbeat: Heartbeat;
  readonly node: NodeController;
  readonly kubelet: KubeletApi;
  readonly pods: PodController;
  readonly recorder: EventRecorder;
  readonly ledger: LedgerRecorder | undefined;
  readonly metrics: PoolMetrics;
  /** Of the process. */
  readonly allMetrics: Metrics;
  /** Absent: nobody else serves this pool. */
  readonly leadership: Leadership | undefined;
}

/** One virtual node and its backend: starts the parts, and ends them in good order. */
export class Pool {
  readonly #parts: PoolParts;
  #lostAtMs: number | undefined;

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  get state(): PoolState {
    if (this.#lostAtMs !== undefined) return stopping(this.#lostAtMs);
    const { pods, node, kubelet } = this.#parts;
    return startingOrServing({ pods: pods.synced, node: node.registered, 'kubelet API': kubelet.served });
  }

  /**
   * Resolves when `signal` is aborted and everything is stopped in good order, or given up where it was because the
   * leadership is lost. Instances go on running.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { agent, backend, health, preparation, capacity, usage, node, kubelet, pods, recorder } = this.#parts;
    const { heartbeat, ledger, allMetrics, leadership } = this.#parts;
    leadership?.lost.addEventListener('abort', () => this.#lost(), { once: true });
    const looking = allMetrics.beforeRender(() => this.#snapshot());
    try {
      await ledger?.load();
      await runTogether(signal, [
        (stop) => health.run(stop),
        (stop) => preparation.run(stop),
        (stop) => capacity.run(stop),
        // So that the node is not registered with a taint that goes a moment later.
        (stop) => node.run(stop, Promise.all([health.known, capacity.known])),
        (stop) => this.#onceFree(stop, () => kubelet.run(stop)),
        (stop) => this.#onceFree(stop, () => pods.run(stop)),
        (stop) => this.#oncePrepared(stop, () => usage.run(stop)),
        (stop) => this.#oncePrepared(stop, () => heartbeat.run(stop)),
      ]);
    } finally {
      looking[Symbol.dispose]();
      await Promise.all([recorder.close(), ledger?.close()]);
      await Promise.all([backend.close(), agent.close()]);
      this.#parts.metrics.ended();
    }
  }

  /** While the node is another's, so are its pods. */
  async #onceFree(signal: AbortSignal, run: () => Promise<void>): Promise<void> {
    await this.#parts.node.free;
    if (!signal.aborted) await run();
  }

  /** Before, a backend may say of anything that it is not there. */
  async #oncePrepared(signal: AbortSignal, run: () => Promise<void>): Promise<void> {
    await this.#parts.preparation.ready(signal).catch(() => undefined);
    if (!signal.aborted) await run();
  }

  /** What is under way for the node or its pods is another's business now. */
  #lost(): void {
    this.#lostAtMs = performance.now();
    void this.#parts.agent.close();
  }

  #snapshot(): void {
    const { pods, metrics } = this.#parts;
    const phases = new Map<string, number>(podPhases.map((phase) => [phase, 0]));
    for (const { pod } of pods.pods.all()) {
      const phase = pod.status?.phase ?? 'Pending';
      phases.set(phase, (phases.get(phase) ?? 0) + 1);
    }
    metrics.current({ ...pods.counts, phases });
  }
}
