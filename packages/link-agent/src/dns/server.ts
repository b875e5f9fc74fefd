import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { failure, readQuery, writeAnswer } from './message.ts';
import type { Resolver } from './resolver.ts';
import { framed, FrameReader } from './tcp-frames.ts';
import type { Upstream } from './upstream.ts';

export interface DnsServerOptions {
  readonly resolver: Pick<Resolver, 'resolve'>;
  readonly upstream: Pick<Upstream, 'exchange'>;
  readonly address: string;
  readonly port: number;
}

/** So many questions may be without an answer: those that come then are dropped, and asked again. */
const maxUnderWay = 1024;
const maxConnections = 128;
const idleMs = 10_000;
const mostTcpBytes = 65_535;

/** The name server of a pod, over UDP and TCP. */
export class DnsServer {
  readonly #options: DnsServerOptions;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();
  #underWay = 0;

  constructor(options: DnsServerOptions) {
    this.#options = options;
    this.#udp = createSocket({ type: 'udp4', recvBufferSize: 1024 * 1024 });
    this.#udp.on('message', (message, from) => void this.#overUdp(message, from));
    this.#tcp = createServer((socket) => this.#overTcp(socket));
    this.#tcp.maxConnections = maxConnections;
  }

  /** @throws when the port is taken */
  async listen(): Promise<{ readonly port: number }> {
    const { address, port } = this.#options;
    this.#tcp.listen(port, address);
    await once(this.#tcp, 'listening');
    const bound = this.#tcp.address();
    const own = typeof bound === 'object' && bound !== null ? bound.port : port;
    this.#udp.bind(own, address);
    await once(this.#udp, 'listening');
    // From now on errors are those of single packets, and nobody waits for them.
    this.#udp.on('error', () => undefined);
    return { port: own };
  }

  close(): void {
    this.#udp.close();
    this.#tcp.close();
    for (const socket of this.#connections) socket.destroy();
  }

  async #overUdp(message: Buffer, { port, address }: RemoteInfo): Promise<void> {
    const answer = await this.#answer(message, 'udp');
    if (answer) this.#udp.send(answer, port, address, () => undefined);
  }

  #overTcp(socket: Socket): void {
    const frames = new FrameReader();
    this.#connections.add(socket);
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      for (const message of frames.push(chunk)) void this.#writeAnswer(socket, message);
    });
  }

  async #writeAnswer(socket: Socket, message: Buffer): Promise<void> {
    const answer = await this.#answer(message, 'tcp');
    if (answer === undefined || socket.destroyed) return;
    if (!socket.write(framed(answer))) {
      // Who does not read is not read from.
      socket.pause();
      socket.once('drain', () => socket.resume());
    }
  }

  /** Undefined: there is nothing to say. */
  async #answer(message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const query = readQuery(message);
    if (query === undefined) return undefined;
    if (query.kind === 'refused') return query.answer;
    if (this.#underWay >= maxUnderWay) return transport === 'udp' ? undefined : failure(message);
    this.#underWay += 1;
    try {
      const resolved = await this.#options.resolver.resolve(query.question);
      if (resolved) return writeAnswer(query, resolved, transport === 'udp' ? query.udpBytes : mostTcpBytes);
      return (await this.#options.upstream.exchange(message, transport)) ?? failure(message);
    } catch {
      // A question that dns-packet reads and cannot write again.
      return failure(message);
    } finally {
      this.#underWay -= 1;
    }
  }
}
