import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import { addressGroup } from './address-group.ts';

export interface StrangerLimits {
  /** Connections from one address. */
  readonly perAddress: number;
  /** Connections from all addresses. */
  readonly inAll: number;
  /** How long a connection may be open, in milliseconds; absent: as long as the server keeps it. */
  readonly openMs?: number;
  /** How many bytes may be sent on a connection; absent: as many as the server reads. */
  readonly bytes?: number;
}

interface Connection {
  readonly peer: string;
  readonly socket: Socket;
  /** Connections from the same address, among them this one. Who was heard of last is the last. */
  readonly siblings: Set<Connection>;
  readonly late: NodeJS.Timeout | undefined;
}

/**
 * Bounds the connections on which nobody has logged in. One too many closes the one that has been quiet for the longest time,
 * of the address that has the most: who speaks at once is served, who holds connections open loses them.
 */
export class Strangers {
  readonly #limits: StrangerLimits;
  readonly #connections = new Map<string, Connection>();
  readonly #byAddress = new Map<string, Set<Connection>>();

  constructor(server: Server, limits: StrangerLimits) {
    this.#limits = limits;
    server.prependListener('connection', (socket: Socket) => this.#arrived(socket));
    const { bytes } = limits;
    if (bytes !== undefined) server.on('secureConnection', (socket) => this.#boundBytes(socket, bytes));
  }

  has(socket: Socket): boolean {
    return this.#connections.has(peerOf(socket));
  }

  /** Whoever has logged in on this connection is no stranger any more. */
  loggedIn(socket: Socket): void {
    const connection = this.#connections.get(peerOf(socket));
    if (connection !== undefined) this.#forget(connection);
  }

  /** A request has come on this connection: others are closed before it. */
  heard(socket: Socket): void {
    const connection = this.#connections.get(peerOf(socket));
    if (connection?.siblings.delete(connection) === true) connection.siblings.add(connection);
  }

  #arrived(socket: Socket): void {
    const { perAddress, inAll, openMs } = this.#limits;
    const peer = peerOf(socket);
    const address = addressGroup(socket.remoteAddress);
    const siblings = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, siblings);
    const late = openMs === undefined ? undefined : setTimeout(() => socket.destroy(), openMs);
    const connection = { peer, socket, siblings, late };
    siblings.add(connection);
    this.#connections.set(peer, connection);
    socket.once('close', () => {
      this.#forget(connection);
      if (siblings.size === 0 && this.#byAddress.get(address) === siblings) this.#byAddress.delete(address);
    });
    if (siblings.size > perAddress) this.#closeQuietest(siblings);
    else if (this.#connections.size > inAll) this.#closeQuietest(largest(this.#byAddress.values()));
  }

  #closeQuietest(siblings: ReadonlySet<Connection>): void {
    for (const connection of siblings) {
      this.#forget(connection);
      connection.socket.destroy();
      return;
    }
  }

  #forget(connection: Connection): void {
    clearTimeout(connection.late);
    connection.siblings.delete(connection);
    if (this.#connections.get(connection.peer) === connection) this.#connections.delete(connection.peer);
  }

  #boundBytes(socket: Socket, bytes: number): void {
    let seen = 0;
    const count = (chunk: Buffer): void => {
      seen += chunk.length;
      if (!this.has(socket)) socket.off('data', count);
      else if (seen > bytes) socket.destroy();
    };
    if (this.has(socket)) socket.on('data', count);
  }
}

function largest(sets: Iterable<ReadonlySet<Connection>>): ReadonlySet<Connection> {
  let found: ReadonlySet<Connection> = new Set();
  for (const set of sets) if (set.size > found.size) found = set;
  return found;
}

/** Names an open connection: its peer has no second one from the same port. */
const peerOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string => `${remoteAddress} ${remotePort}`;
