import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { DnsServer } from './dns/server.ts';
import { Resolver } from './dns/resolver.ts';
import { Upstream } from './dns/upstream.ts';
import type { Dial } from './forward/dial.ts';
import { Forwarder } from './forward/forwarder.ts';
import { Health } from './health.ts';
import { Link } from './link/link.ts';
import { keyOf } from './protocol/messages.ts';
import { Book } from './services/book.ts';

export type Log = (level: 'info' | 'warn', message: string, fields?: object) => void;

export interface AgentParts {
  readonly servers: readonly string[];
  readonly authorities: string;
  readonly token: () => Promise<string>;
  readonly domain: string;
  readonly resolvers: readonly string[];
  readonly ownPorts: ReadonlySet<string>;
  /** Default: none. */
  readonly healthPort?: number;
  readonly dial: Dial;
  /** Of the name server. Default: 127.0.0.1:53 */
  readonly dnsAddress?: string;
  readonly dnsPort?: number;
  readonly upstreamPort?: number;
  readonly log: Log;
}

const now = (): number => performance.now();

/** A pod starts without the link server when that has not answered for this time. */
const startPatienceMs = 3000;
const tidyMs = 10_000;

/** All of the agent: what the pod asks for is learnt from the link server, answered, and forwarded. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #dns: DnsServer;
  readonly #link: Link;
  readonly #book: Book;
  readonly #forwarder: Forwarder;
  #resolvers: readonly string[];
  #isReady = false;
  #isLinked = false;

  constructor(parts: AgentParts) {
    const { servers, authorities, token, domain, resolvers, ownPorts, dial, log } = parts;
    const { dnsAddress = '127.0.0.1', dnsPort = 53, upstreamPort } = parts;
    this.#parts = parts;
    this.#resolvers = resolvers;
    this.#forwarder = new Forwarder({
      dial,
      ownPorts,
      now,
      random: Math.random,
      onContested: (service, { port, protocol }) =>
        log('warn', 'the pod itself listens at a port of a Service, whose endpoints are named directly', {
          service: keyOf(service),
          port,
          protocol,
        }),
    });
    this.#book = new Book({
      follow: (name) => this.#link.follow(name),
      unfollow: (name) => this.#link.unfollow(name),
      onChange: (key, service) => this.#forwarder.update(key, service),
      isInUse: (key) => this.#forwarder.isInUse(key),
      isLinked: () => this.#isLinked,
      now,
    });
    this.#link = new Link({
      servers,
      authorities,
      token,
      names: () => this.#book.names,
      onMessage: (message) => {
        this.#resolvers = message.resolvers ?? this.#resolvers;
        this.#book.apply(message);
      },
      onState: (state, why) => {
        this.#isReady = true;
        this.#isLinked = state === 'open';
        if (state === 'open') log('info', 'connected to the link server');
        else log('warn', 'without link server: names that are known go on working', { why });
      },
      sleep,
      random: Math.random,
    });
    const upstream = new Upstream({
      servers: () => this.#resolvers,
      ...(upstreamPort !== undefined && { port: upstreamPort }),
    });
    this.#dns = new DnsServer({
      resolver: new Resolver({
        domain,
        find: (namespace, name) => this.#book.find(namespace, name),
        reach: (service) => this.#forwarder.reach(service),
        ownerOf: (address) => this.#forwarder.ownerOf(address),
        askElsewhere: (question) => upstream.ask(question),
      }),
      upstream,
      address: dnsAddress,
      port: dnsPort,
    });
  }

  /**
   * Resolves when `signal` is aborted and everything has stopped. @throws when the name server's port is taken
   *
   * @param onListening is told the port of the name server
   */
  async run(signal: AbortSignal, onListening: (dnsPort: number) => void = () => undefined): Promise<void> {
    const { healthPort = 0 } = this.#parts;
    const health = new Health(() => this.#isReady);
    const patience = setTimeout(() => (this.#isReady = true), startPatienceMs);
    const tidying = setInterval(() => this.#book.tidy(), tidyMs);
    try {
      const { port } = await this.#dns.listen();
      if (healthPort > 0) await health.listen(healthPort);
      onListening(port);
      await this.#link.run(signal);
    } finally {
      clearTimeout(patience);
      clearInterval(tidying);
      health.close();
      this.#dns.close();
      this.#forwarder.close();
    }
  }
}

/** Resolves early when the signal is aborted. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeoutPromise(ms, undefined, { signal }).catch(() => undefined);
}
