import {
  type Clock,
  Informer,
  isConflict,
  isNotFound,
  type KubeClient,
  nameOf,
  namespaceOf,
  uidOf,
} from '@spillway/kube';
import { networks, type Network, type NetworkState } from './network-type.ts';

export interface NetworkTiming {
  /** How long a network stays Initializing, and then Pending. Default 1 s each */
  readonly stepMs: number;
}

const next: Readonly<Partial<Record<NetworkState, NetworkState>>> = { Initializing: 'Pending', Pending: 'Active' };

/** Makes networks Active, one step after the other. */
export class NetworkController {
  readonly informer: Informer<Network>;
  /** While true, networks stay as they are. */
  #stuck = false;
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #stepMs: number;
  #released = Promise.withResolvers<void>();

  constructor(options: { client: KubeClient; clock: Clock; timing: NetworkTiming }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#stepMs = options.timing.stepMs;
    this.informer = new Informer({ client: options.client, type: networks });
  }

  setStuck(stuck: boolean): void {
    this.#stuck = stuck;
    if (stuck) return;
    this.#released.resolve();
    this.#released = Promise.withResolvers();
  }

  /** Resolves when everything has stopped. */
  async run(signal: AbortSignal): Promise<void> {
    const lives = new Map<string, Promise<void>>();
    const subscription = this.informer.subscribe({
      added: (network) => {
        const uid = uidOf(network);
        lives.set(
          uid,
          this.#bringUp(network, signal).finally(() => lives.delete(uid)),
        );
      },
    });
    await this.informer.run(signal);
    subscription[Symbol.dispose]();
    await Promise.all(lives.values());
  }

  async #bringUp(network: Network, signal: AbortSignal): Promise<void> {
    let state: NetworkState | undefined = network.status?.state ?? 'Initializing';
    if (network.status?.state === undefined && !(await this.#write(network, state, signal))) return;
    for (state = next[state]; state !== undefined; state = next[state]) {
      await this.#clock.sleep(this.#stepMs, signal);
      while (this.#stuck && !signal.aborted) await Promise.race([this.#released.promise, aborted(signal)]);
      if (signal.aborted || !(await this.#write(network, state, signal))) return;
    }
  }

  /** Tries until it is written; false when the network is gone or we stop. */
  async #write(network: Network, state: NetworkState, signal: AbortSignal): Promise<boolean> {
    const ref = { namespace: namespaceOf(network) ?? '', name: nameOf(network) };
    const body = { metadata: { uid: uidOf(network) }, status: { state } };
    while (!signal.aborted) {
      try {
        await this.#client.resource(networks).patch(ref, { type: 'merge', body }, { subresource: 'status', signal });
        return true;
      } catch (error) {
        if (isNotFound(error) || isConflict(error)) return false;
        await this.#clock.sleep(this.#stepMs, signal);
      }
    }
    return false;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
