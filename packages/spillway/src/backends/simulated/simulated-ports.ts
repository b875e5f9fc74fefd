import { pipeline } from 'node:stream/promises';
import type { PortConnection, PortForwarder } from '../backend.ts';
import type { SimulatedPod } from './simulated-pod.ts';

/** The ports of a pretended pod: those that its containers declare send back what they get, at the others nobody listens. */
export class SimulatedPorts implements PortForwarder {
  readonly ended: AbortSignal;
  readonly #pod: SimulatedPod;
  readonly #end = new AbortController();
  readonly #open = new Set<Promise<void>>();

  constructor(pod: SimulatedPod, signal: AbortSignal) {
    this.#pod = pod;
    this.ended = AbortSignal.any([signal, this.#end.signal]);
  }

  forward(connection: PortConnection): void {
    const carrying = this.#carry(connection).finally(() => this.#open.delete(carrying));
    this.#open.add(carrying);
  }

  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#open);
  }

  async #carry({ port, readable, writable, finish }: PortConnection): Promise<void> {
    const { pod, ref } = this.#pod.workload;
    const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
    if (!ports.some(({ containerPort }) => containerPort === port)) {
      const why = `failed to connect to localhost:${port} inside the simulated pod: connect: connection refused`;
      finish(`error forwarding port ${port} to pod ${ref.uid}, uid : ${why}`);
      return;
    }
    await pipeline(readable, writable, { signal: this.ended }).catch(() => {});
    finish();
  }
}
