import { on } from 'node:events';
import type {
  Backend,
  Capabilities,
  Capacity,
  Dismantled,
  InstanceChange,
  InstanceEvent,
  InstanceRef,
  InstanceUsage,
  Listing,
  Refusal,
  StopOptions,
  Workload,
} from '../../backends/backend.ts';
import { trusted } from '../../backends/trusted.ts';
import { type Support, unknownSupport } from '../../podspec/fit/support.ts';
import type { PoolConfig } from '../../config/config.ts';

export type BackendCall = 'prepare' | 'create' | 'update' | 'stop' | 'remove' | 'list' | 'ping' | 'capacity' | 'watch';

/** To the process that has the backend. */
export interface Asked {
  readonly id: number;
  readonly call: BackendCall;
  readonly args: readonly unknown[];
}

/** From the process that has the backend. */
export type Told =
  | {
      readonly kind: 'begin';
      /** URL of the API server. */
      readonly server: string;
      readonly pool: PoolConfig;
      readonly clusterId: string;
    }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'event'; readonly event: InstanceEvent };

/** The backend of the process that has started this one. What it has done outlives this one. */
export class LentBackend implements Backend {
  readonly capabilities: Capabilities = { runtimeVersion: 'lent://1', logs: false, exec: false, volumeUpdates: true };
  readonly support: Support = unknownSupport;
  readonly #answers = new Map<number, (value: unknown) => void>();
  #asked = 0;

  constructor() {
    process.on('message', (message) => {
      const told = trusted<Told>(message);
      if (told.kind !== 'answer') return;
      this.#answers.get(told.id)?.(told.value);
      this.#answers.delete(told.id);
    });
  }

  async prepare(): Promise<void> {
    await this.#ask('prepare');
  }

  async create(workload: Workload): Promise<void> {
    await this.#ask('create', workload);
  }

  async update(ref: InstanceRef, change: InstanceChange): Promise<readonly Refusal[]> {
    return trusted<readonly Refusal[]>(await this.#ask('update', ref, change));
  }

  async stop(ref: InstanceRef, options: StopOptions): Promise<void> {
    await this.#ask('stop', ref, options);
  }

  async remove(ref: InstanceRef): Promise<void> {
    await this.#ask('remove', ref);
  }

  async list(): Promise<Listing> {
    return trusted<Listing>(await this.#ask('list'));
  }

  async *watch(signal: AbortSignal): AsyncIterable<InstanceEvent> {
    const messages = on(process, 'message', { signal });
    void this.#ask('watch');
    for await (const [message] of messages) {
      const told = trusted<Told>(message);
      if (told.kind === 'event') yield told.event;
    }
  }

  async usage(): Promise<readonly InstanceUsage[]> {
    return [];
  }

  async capacity(): Promise<Capacity> {
    return trusted<Capacity>(await this.#ask('capacity'));
  }

  async ping(): Promise<void> {
    await this.#ask('ping');
  }

  async dismantle(): Promise<Dismantled> {
    return { removed: [], remains: [], others: [] };
  }

  async close(): Promise<void> {}

  async #ask(call: BackendCall, ...args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#asked;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#answers.set(id, resolve);
    process.send?.({ id, call, args } satisfies Asked);
    return await promise;
  }
}
