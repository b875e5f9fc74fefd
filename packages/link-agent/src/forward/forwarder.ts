import { keyOf, type LinkService, type ServicePort } from '../protocol/messages.ts';
import { LoopbackAddresses } from '../services/loopback.ts';
import { Chooser, type ChooserOptions } from './chooser.ts';
import type { Dial } from './dial.ts';
import { targetsOf } from './targets.ts';
import { TcpPort } from './tcp-port.ts';
import { UdpPort } from './udp-port.ts';

export interface ForwarderOptions extends ChooserOptions {
  readonly dial: Dial;
  /** Ports at which the pod's own containers listen, as `8080/TCP`: nobody else may listen at them, on no address. */
  readonly ownPorts: ReadonlySet<string>;
  readonly onContested: (service: LinkService, port: ServicePort) => void;
}

interface OpenPort {
  readonly port: ServicePort;
  readonly chooser: Chooser;
  /** Undefined: there is nobody to forward to, and so nobody listens: connections are refused at once. */
  listener: TcpPort | UdpPort | undefined;
}

/** A Service at its loopback address. */
interface Reached {
  service: LinkService;
  readonly address: string;
  readonly ports: Map<string, OpenPort>;
  /** Another program has one of its ports: its endpoints are named directly. */
  contested: boolean;
  /** What is done one after another. */
  work: Promise<void>;
}

const portKey = ({ port, protocol }: ServicePort): string => `${port}/${protocol}`;

/** Makes Services reachable at loopback addresses, and keeps their ports as the Services are. */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #addresses = new LoopbackAddresses();
  readonly #reached = new Map<string, Reached>();

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** Addresses at which the Service answers from now on; empty: it cannot be reached. Never rejects. */
  async reach(service: LinkService): Promise<readonly string[]> {
    const key = keyOf(service);
    const reached = this.#reached.get(key) ?? this.#begin(key, service);
    await reached.work;
    return reached.contested ? directly(reached.service) : [reached.address];
  }

  /** How a Service is now; undefined: it is gone, and nobody listens for it any more. */
  update(key: string, service: LinkService | undefined): void {
    const reached = this.#reached.get(key);
    if (reached === undefined) return;
    if (service?.kind === 'clusterIP') {
      reached.service = service;
      reached.work = reached.work.then(() => this.#adjust(reached));
      return;
    }
    this.#reached.delete(key);
    void this.#leave(key, reached);
  }

  isInUse(key: string): boolean {
    const ports = this.#reached.get(key)?.ports.values() ?? [];
    return Array.from(ports).some(({ listener }) => (listener?.connections ?? 0) > 0);
  }

  ownerOf(address: string): Pick<LinkService, 'namespace' | 'name'> | undefined {
    const key = this.#addresses.keyAt(address);
    return key === undefined ? undefined : this.#reached.get(key)?.service;
  }

  close(): void {
    for (const { ports } of this.#reached.values()) for (const { listener } of ports.values()) listener?.destroy();
  }

  async #leave(key: string, { work, ports }: Reached): Promise<void> {
    await work;
    for (const { listener } of ports.values()) listener?.close();
    // Somebody may have asked for it again meanwhile.
    if (!this.#reached.has(key)) this.#addresses.release(key);
  }

  #begin(key: string, service: LinkService): Reached {
    const address = this.#addresses.addressOf(key);
    const reached: Reached = { service, address, ports: new Map(), contested: false, work: Promise.resolve() };
    this.#reached.set(key, reached);
    reached.work = this.#adjust(reached);
    return reached;
  }

  async #adjust(reached: Reached): Promise<void> {
    const { service, ports } = reached;
    const wanted = new Map(service.ports.map((port) => [portKey(port), port]));
    for (const [key, open] of ports) {
      if (wanted.get(key)?.name === open.port.name) continue;
      open.listener?.close();
      ports.delete(key);
    }
    for (const [key, port] of wanted) {
      const open = ports.get(key) ?? { port, chooser: new Chooser(service, port, this.#options), listener: undefined };
      ports.set(key, open);
      open.chooser.update(service);
      if (open.listener instanceof UdpPort) open.listener.update();
      // Also without endpoints: whether another program has the port is to be known before the address is given to anybody.
      if (!reached.contested) open.listener ??= await this.#listen(reached, open);
    }
    for (const open of ports.values()) {
      if (!reached.contested && !open.chooser.isEmpty) continue;
      open.listener?.close();
      open.listener = undefined;
    }
  }

  async #listen(reached: Reached, { port, chooser }: OpenPort): Promise<TcpPort | UdpPort | undefined> {
    const { address, service } = reached;
    const { dial, ownPorts, onContested } = this.#options;
    const options = { address, port: port.port, chooser, dial };
    const listener = port.protocol === 'TCP' ? new TcpPort(options) : new UdpPort(options);
    try {
      if (ownPorts.has(portKey(port))) throw new Error('the pod itself listens there');
      await listener.listen();
      return listener;
    } catch {
      reached.contested = true;
      onContested(service, port);
      return undefined;
    }
  }
}

/** The endpoints themselves, if they have the ports of the Service. */
function directly(service: LinkService): readonly string[] {
  const addresses = new Map<string, number>();
  for (const port of service.ports) {
    for (const target of targetsOf(service, port)) {
      if (target.port !== port.port) continue;
      addresses.set(target.address, (addresses.get(target.address) ?? 0) + 1);
    }
  }
  return Array.from(addresses).flatMap(([address, count]) => (count === service.ports.length ? address : []));
}
