import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Chooser } from './chooser.ts';
import type { Target } from './targets.ts';

export interface UdpPortOptions {
  readonly address: string;
  readonly port: number;
  readonly chooser: Chooser;
  /** Default 60,000. */
  readonly idleMs?: number;
}

/** What belongs together: packets of one client, and the endpoint that answers them. */
interface Flow {
  readonly socket: Socket;
  readonly target: Target;
  idle: NodeJS.Timeout;
}

const maxFlows = 1024;

/** One UDP port of a Service at its loopback address. */
export class UdpPort {
  readonly #options: UdpPortOptions;
  readonly #server: Socket;
  /** By address and port of the client, in order of use. */
  readonly #flows = new Map<string, Flow>();

  constructor(options: UdpPortOptions) {
    this.#options = options;
    this.#server = createSocket({ type: 'udp4', recvBufferSize: 1024 * 1024 });
    this.#server.on('message', (packet, from) => this.#forward(packet, from));
  }

  /** @throws when the port is taken */
  async listen(): Promise<void> {
    const { port, address } = this.#options;
    this.#server.bind({ port, address });
    await once(this.#server, 'listening');
    this.#server.on('error', () => undefined);
  }

  get connections(): number {
    return this.#flows.size;
  }

  /** Packets to endpoints that are gone would get no answer: their clients get another endpoint. */
  update(): void {
    for (const [client, { target }] of this.#flows) if (!this.#options.chooser.has(target)) this.#end(client);
  }

  close(): void {
    this.#server.close();
    for (const client of this.#flows.keys()) this.#end(client);
  }

  destroy(): void {
    this.close();
  }

  #forward(packet: Buffer, from: RemoteInfo): void {
    const client = `${from.address} ${from.port}`;
    const flow = this.#flows.get(client) ?? this.#begin(client, from);
    if (flow === undefined) return;
    this.#flows.delete(client);
    this.#flows.set(client, flow);
    flow.idle.refresh();
    try {
      flow.socket.send(packet, flow.target.port, flow.target.address, () => undefined);
    } catch {
      this.#end(client);
    }
  }

  #begin(client: string, { address, port }: RemoteInfo): Flow | undefined {
    const { chooser, idleMs = 60_000 } = this.#options;
    const [target] = chooser.candidates();
    if (target === undefined) return undefined;
    const socket = createSocket('udp4');
    socket.on('message', (packet, from) => {
      if (from.address !== target.address || from.port !== target.port) return;
      this.#flows.get(client)?.idle.refresh();
      this.#server.send(packet, port, address, () => undefined);
    });
    socket.on('error', () => this.#end(client));
    chooser.connected(target);
    const idle = setTimeout(() => this.#end(client), idleMs);
    idle.unref();
    const flow: Flow = { socket, target, idle };
    this.#flows.set(client, flow);
    if (this.#flows.size > maxFlows)
      for (const oldest of this.#flows.keys()) {
        this.#end(oldest);
        break;
      }
    return flow;
  }

  #end(client: string): void {
    const flow = this.#flows.get(client);
    if (flow === undefined) return;
    this.#flows.delete(client);
    clearTimeout(flow.idle);
    flow.socket.close();
  }
}
