import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from '@spillway/kube';
import { refuseUpgrade } from '@spillway/streaming';
import { Strangers } from '../https/strangers.ts';
import { AccessControl, type AccessControlOptions } from './auth/access-control.ts';
import type { Reviews } from './auth/reviews.ts';
import { type Admitted, Gate } from './gate.ts';
import type { HandlerContext, StreamingBackend } from './handlers/context.ts';
import { preparePortForward } from './handlers/port-forward.ts';
import { prepareRemoteCommand } from './handlers/remote-command.ts';
import type { PreparedUpgrade } from './handlers/upgrade.ts';
import { serveExplanation } from './handlers/explain.ts';
import { serveLogs } from './handlers/logs.ts';
import { servePods } from './handlers/pods.ts';
import { serveUsage } from './handlers/usage.ts';
import { type KubeletLimits, resolveLimits } from './limits.ts';
import type { KubeletMetrics } from './metrics.ts';
import { boundPods, runningPods } from './pod-list.ts';
import type { PodLookup } from '../pods/known-pods.ts';
import type { UsageSource } from '../usage/usage-sampler.ts';
import { answerProblem, Problem, problemHeaders, problemOf } from './problem.ts';
import type { Route } from './route.ts';
import { StreamSlots } from './stream-slots.ts';
import { secureContextOptions, type TlsMaterial } from './tls.ts';

export interface KubeletServerOptions {
  readonly nodeName: string;
  readonly pods: PodLookup;
  readonly usage: UsageSource;
  readonly backend: StreamingBackend;
  readonly reviews: Reviews;
  /** May lack the certificate at first, see {@link KubeletServer.setTls}. */
  readonly tls: TlsMaterial;
  readonly logger: Logger;
  /** Served at `/metrics`. */
  readonly metricsPage?: { readonly contentType: string; render(): Promise<string> };
  readonly metrics?: KubeletMetrics;
  readonly limits?: Partial<KubeletLimits>;
  readonly access?: Omit<AccessControlOptions, 'reviews' | 'now'>;
  /** Milliseconds since the epoch. Default: the system's clock. */
  readonly now?: () => number;
}

/**
 * The kubelet API of one virtual node, over TLS. Every request is authenticated and authorised before anything else is said,
 * also whether its path exists.
 */
export class KubeletServer implements AsyncDisposable {
  readonly #options: KubeletServerOptions;
  readonly #limits: KubeletLimits;
  readonly #server: Server;
  readonly #strangers: Strangers;
  readonly #gate: Gate;
  readonly #slots: StreamSlots;
  readonly #context: HandlerContext;
  readonly #now: () => number;
  readonly #stopping = new AbortController();
  readonly #upgraded = new Set<Duplex>();
  readonly #underWay = new Set<Promise<void>>();
  #closed: Promise<void> | undefined;

  constructor(options: KubeletServerOptions) {
    const { nodeName, pods, usage, backend, logger, reviews, now = Date.now } = options;
    this.#options = options;
    this.#now = now;
    this.#limits = resolveLimits(options.limits);
    this.#gate = new Gate(new AccessControl({ ...options.access, reviews, now }), now);
    this.#slots = new StreamSlots(this.#limits.maxStreams, (count) => options.metrics?.streamsOpen(count));
    this.#context = { nodeName, pods, usage, backend, logger, now, stopping: this.#stopping.signal };
    this.#server = createServer({
      ...secureContextOptions(options.tls),
      // Clients with a token have no certificate, so its absence must not end the handshake.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: 10_000,
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      connectionsCheckingInterval: 2000,
      // Longer than the 90 s after which the API server closes idle connections, so that it never writes to a closed one.
      keepAliveTimeout: 120_000,
      maxHeaderSize: this.#limits.maxHeaderBytes,
    });
    this.#server.maxConnections = this.#limits.maxConnections;
    // What is more is dropped.
    this.#server.maxHeadersCount = 100;
    this.#strangers = new Strangers(this.#server, this.#limits.strangers);
    this.#server.on('secureConnection', (socket) => {
      if (socket.authorized) this.#strangers.loggedIn(socket);
    });
    this.#server.on('request', (request, response) => this.#track(this.#serve(request, response)));
    this.#server.on('upgrade', (request, socket, head) => this.#track(this.#serveUpgrade(request, socket, head)));
    this.#server.on('tlsClientError', (error, socket) => {
      logger.debug({ err: error, client: socket.remoteAddress }, 'TLS handshake failed');
    });
  }

  /** Resolves with the address when connections are accepted. */
  async listen(address: { readonly host?: string; readonly port: number }): Promise<AddressInfo> {
    this.#server.listen(address);
    await once(this.#server, 'listening');
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the kubelet API has no TCP port');
    return bound;
  }

  /** Certificates for new connections; those that exist go on. */
  setTls(tls: TlsMaterial): void {
    this.#server.setSecureContext(secureContextOptions(tls));
  }

  /**
   * Accepts no more connections, tells running logs and commands to end, and closes what has not ended in time. Resolves when
   * nothing is left.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#stopping.abort(new Error('the kubelet API is closing'));
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    const hurry = setTimeout(() => {
      this.#server.closeAllConnections();
      for (const socket of this.#upgraded) socket.destroy();
    }, this.#limits.closeTimeoutMs);
    await Promise.all(this.#underWay);
    this.#server.closeIdleConnections();
    await closed;
    clearTimeout(hurry);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = this.#now();
    let admitted: Admitted | undefined;
    if (this.#stopping.signal.aborted) response.setHeader('Connection', 'close');
    try {
      admitted = await this.#admit(request);
      await this.#answer(admitted, response);
    } catch (error) {
      // A client that went away needs no answer.
      if (!response.destroyed) {
        const problem = this.#problem(request, admitted, error);
        if (problem.status === 401 || this.#strangers.has(request.socket)) response.shouldKeepAlive = false;
        answerProblem(response, problem);
      }
    }
    this.#record(request, admitted, response.statusCode, startedAt);
  }

  async #admit(request: IncomingMessage): Promise<Admitted> {
    const admitted = await this.#gate.admit(request);
    this.#strangers.loggedIn(request.socket);
    return admitted;
  }

  async #answer({ route, query }: Admitted, response: ServerResponse): Promise<void> {
    switch (route.kind) {
      case 'healthz':
        response.end('ok');
        return;
      case 'metrics':
        await this.#answerMetrics(response);
        return;
      case 'pods':
        await servePods(boundPods(this.#options.pods), response);
        return;
      case 'runningPods':
        await servePods(runningPods(this.#options.pods), response);
        return;
      case 'statsSummary':
      case 'resourceMetrics':
      case 'cadvisorMetrics':
      case 'probeMetrics':
        await serveUsage(this.#context, route.kind, response);
        return;
      case 'explain':
        serveExplanation(this.#options.pods, route, response);
        return;
      case 'logs':
        await this.#slots.hold(() => serveLogs(this.#context, route, query, response));
        return;
      case 'exec':
      case 'attach':
      case 'portForward':
        throw new Problem(400, 'Upgrade request required');
      default:
        throw new Problem(501, `the virtual node does not offer ${route.what}`);
    }
  }

  async #answerMetrics(response: ServerResponse): Promise<void> {
    const page = this.#options.metricsPage;
    if (page === undefined) throw new Problem(501, 'the virtual node does not offer metrics of its own');
    response.setHeader('Content-Type', page.contentType).end(await page.render());
  }

  async #serveUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const startedAt = this.#now();
    let admitted: Admitted | undefined;
    let status = 101;
    socket.on('error', () => {});
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    try {
      admitted = await this.#admit(request);
      await this.#answerUpgrade(admitted, request, socket, head);
    } catch (error) {
      const problem = this.#problem(request, admitted, error);
      status = problem.status;
      refuseUpgrade(socket, problem.status, problem.message, problemHeaders(problem));
    }
    this.#record(request, admitted, status, startedAt);
  }

  async #answerUpgrade(
    { route, query, user }: Admitted,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    const prepared = this.#prepareUpgrade(route, query);
    // Who did what where is what people ask afterwards; a command itself may contain secrets.
    const { kind, ...where } = route;
    this.#options.logger.info({ user: user.name, ...where }, kind);
    await this.#slots.hold(() => prepared.run(request, socket, head));
  }

  #prepareUpgrade(route: Route, query: URLSearchParams): PreparedUpgrade {
    const { streamIdleTimeoutMs: idleTimeoutMs, streamCreationTimeoutMs: creationTimeoutMs } = this.#limits;
    const timeouts = { idleTimeoutMs, creationTimeoutMs };
    switch (route.kind) {
      case 'exec':
      case 'attach':
        return prepareRemoteCommand(this.#context, route, query, timeouts);
      case 'portForward':
        return preparePortForward(this.#context, route, timeouts);
      case 'unsupported':
        throw new Problem(501, `the virtual node does not offer ${route.what}`);
      default:
        throw new Problem(400, 'this path cannot be upgraded');
    }
  }

  /** What to tell the client; the log gets what is nobody's mistake. */
  #problem(request: IncomingMessage, admitted: Admitted | undefined, error: unknown): Problem {
    const problem = problemOf(error, 'the request failed');
    if (problem.status >= 500 && problem.status !== 501) {
      const [path] = (request.url ?? '').split('?');
      const about = { err: problem.cause ?? problem, user: admitted?.user.name, method: request.method, path };
      this.#options.logger.warn(about, problem.message);
    }
    return problem;
  }

  #record(request: IncomingMessage, admitted: Admitted | undefined, status: number, startedAt: number): void {
    const durationMs = this.#now() - startedAt;
    const route = admitted?.route.kind ?? 'other';
    this.#options.metrics?.requestServed({ route, status, durationMs });
    const about = { user: admitted?.user.name, method: request.method, route, status, durationMs };
    this.#options.logger.debug(about, 'kubelet API request');
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work);
    work
      .catch((error: unknown) => this.#options.logger.error({ err: error }, 'a request of the kubelet API failed'))
      .finally(() => this.#underWay.delete(work));
  }
}
