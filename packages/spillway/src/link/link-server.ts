import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Logger } from '@spillway/kube';
import { linkPath, linkProtocol, maxAgentMessageBytes } from '@spillway/link-agent';
import { type WebSocket, WebSocketServer } from 'ws';
import type { KeyPair } from '../authorities/authority.ts';
import { type StrangerLimits, Strangers } from '../https/strangers.ts';
import type { Denial, LinkAccess, LinkPod } from './access.ts';
import type { Catalogue } from './catalogue.ts';
import { Session } from './session.ts';
import { Sessions } from './sessions.ts';

/** For metrics. */
export interface LinkMetrics {
  loggedIn(result: 'ok' | Denial): void;
  messageSent(): void;
}

export interface LinkServerOptions {
  readonly catalogue: Pick<Catalogue, 'hasSynced' | 'get' | 'resolvers' | 'isNameServer'>;
  readonly access: Pick<LinkAccess, 'admit'>;
  readonly metrics: LinkMetrics;
  readonly logger: Logger;
  /** Connections on which nobody has logged in. Default: 16 from one address, 1,024 in all, 10 s. */
  readonly strangers?: StrangerLimits;
}

const pingMs = 20_000;
const statuses: Readonly<Record<Denial, string>> = {
  unauthorized: '401 Unauthorized',
  tooMany: '429 Too Many Requests',
  unavailable: '503 Service Unavailable',
};

/** The port to which agents of burst pods connect. */
export class LinkServer {
  readonly #options: LinkServerOptions;
  readonly #server: Server;
  readonly #strangers: Strangers;
  readonly #webSockets: WebSocketServer;
  readonly #sessions = new Sessions();
  readonly #sockets = new Map<Session, WebSocket>();
  readonly #silent = new WeakSet<WebSocket>();
  readonly #pinging: NodeJS.Timeout;
  #authorities = '';

  constructor(options: LinkServerOptions) {
    this.#options = options;
    const { logger, strangers = { perAddress: 16, inAll: 1024, openMs: 10_000, bytes: 64 * 1024 } } = options;
    this.#server = createServer(
      {
        minVersion: 'TLSv1.2',
        handshakeTimeout: 5000,
        headersTimeout: 5000,
        requestTimeout: 5000,
        maxHeaderSize: 16 * 1024,
      },
      (_request, response) => {
        response.shouldKeepAlive = false;
        response.writeHead(404).end();
      },
    );
    this.#server.maxHeadersCount = 50;
    this.#strangers = new Strangers(this.#server, strangers);
    this.#server.on('tlsClientError', (error) => logger.debug({ err: error }, 'TLS handshake of a link agent failed'));
    this.#webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: maxAgentMessageBytes,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(linkProtocol) ? linkProtocol : false),
    });
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#pinging = setInterval(() => this.#ping(), pingMs);
    this.#pinging.unref();
  }

  get agents(): number {
    return this.#sessions.size;
  }

  /** Services that are followed, each once. */
  get followed(): number {
    return this.#sessions.followed;
  }

  /** For new connections. @param authorities PEM; agents that are connected are told them */
  setTls({ cert, key }: KeyPair, authorities: string): void {
    this.#server.setSecureContext({ minVersion: 'TLSv1.2', cert, key });
    if (authorities === this.#authorities) return;
    this.#authorities = authorities;
    for (const session of this.#sessions.all) session.authoritiesChanged(authorities);
  }

  /** Of a Service something may have changed. */
  changed(key: string): void {
    this.#sessions.changed(key);
    if (!this.#options.catalogue.isNameServer(key)) return;
    for (const session of this.#sessions.all) session.resolversChanged();
  }

  /** Everything is known now. */
  synced(): void {
    for (const session of this.#sessions.all) session.synced();
  }

  async listen(port: number, host?: string): Promise<AddressInfo> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the link server has no TCP port');
    return bound;
  }

  async close(): Promise<void> {
    clearInterval(this.#pinging);
    for (const socket of this.#webSockets.clients) socket.terminate();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { access, metrics } = this.#options;
    const end = (status: string): void => void socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    socket.on('error', () => socket.destroy());
    const [path] = (request.url ?? '').split('?');
    const offers = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
    if (path !== linkPath || !offers.includes(linkProtocol) || !(socket instanceof TLSSocket)) {
      end('404 Not Found');
      return;
    }
    this.#strangers.heard(socket);
    const pod = await access.admit(request.headers.authorization, socket.remoteAddress ?? '');
    metrics.loggedIn(typeof pod === 'string' ? pod : 'ok');
    if (typeof pod === 'string') {
      end(statuses[pod]);
      return;
    }
    if (socket.destroyed) return;
    this.#strangers.loggedIn(socket);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#serve(webSocket, pod));
  }

  #serve(socket: WebSocket, { uid }: LinkPod): void {
    const { catalogue, metrics } = this.#options;
    const session: Session = new Session({
      outlet: {
        send: (text, sent) => socket.send(text, sent),
        get bufferedBytes() {
          return socket.bufferedAmount;
        },
        close: (why) => socket.close(1008, why),
      },
      catalogue,
      authorities: this.#authorities,
      onFollow: (key) => this.#sessions.follow(key, session),
      onUnfollow: (key) => this.#sessions.unfollow(key, session),
      onSent: () => metrics.messageSent(),
    });
    const former = this.#sessions.add(uid, session);
    this.#sockets.set(session, socket);
    if (former) this.#sockets.get(former)?.close(1008, 'the pod has another stream');
    socket.on('error', () => socket.terminate());
    socket.on('pong', () => this.#silent.delete(socket));
    socket.on('message', (data, isBinary) => {
      if (isBinary || !Buffer.isBuffer(data)) socket.close(1003, 'only text messages are understood');
      else if (socket.readyState === socket.OPEN) session.received(data.toString('utf8'));
    });
    socket.on('close', () => {
      this.#sockets.delete(session);
      this.#sessions.remove(uid, session);
    });
  }

  /** Who has not answered the last one is gone. */
  #ping(): void {
    for (const socket of this.#webSockets.clients) {
      if (this.#silent.has(socket)) socket.terminate();
      else {
        this.#silent.add(socket);
        socket.ping();
      }
    }
  }
}
