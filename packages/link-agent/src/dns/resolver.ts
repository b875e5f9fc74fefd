import type { Answer, Packet, Question } from 'dns-packet';
import type { LinkService } from '../protocol/messages.ts';
import { type Asked, readName } from './asked.ts';
import { type Found, findRecords } from './records.ts';

/** How long answers may be kept, as CoreDNS says of the cluster's names. */
const ttl = 5;
const maxAliases = 10;

export type Rcode = 'NOERROR' | 'SERVFAIL' | 'NXDOMAIN';

export interface Resolved {
  readonly rcode: Rcode;
  readonly answers: readonly Answer[];
  readonly additionals?: readonly Answer[];
  readonly authorities?: readonly Answer[];
}

export interface ResolverOptions {
  /** Of the cluster. */
  readonly domain: string;
  /** Undefined: it is not known, because nobody is there to say. */
  readonly find: (namespace: string, name: string) => Promise<LinkService | 'absent' | undefined>;
  /** Where a Service with an address of its own can be reached from this pod; empty: nowhere. */
  readonly reach: (service: LinkService) => Promise<readonly string[]>;
  /** Whose address it is. */
  readonly ownerOf: (address: string) => Pick<LinkService, 'namespace' | 'name'> | undefined;
  /** Asks another server; undefined: none has answered. */
  readonly askElsewhere: (question: Question) => Promise<Packet | undefined>;
}

/** Answers questions about the cluster's Services, with the answers of CoreDNS. */
export class Resolver {
  readonly #options: ResolverOptions;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** Undefined: another server knows. Never rejects. */
  async resolve(question: Question): Promise<Resolved | undefined> {
    const asked = readName(question.name, this.#options.domain);
    switch (asked.kind) {
      case 'elsewhere':
        return undefined;
      case 'nothing':
        return this.#nothing('NXDOMAIN');
      case 'address':
        return this.#reverse(question, asked.address);
      default:
        return this.#service(question, asked, 0);
    }
  }

  #reverse(question: Question, address: string): Resolved {
    const owner = this.#options.ownerOf(address);
    if (owner === undefined) return { rcode: 'NXDOMAIN', answers: [] };
    const data = `${owner.name}.${owner.namespace}.svc.${this.#options.domain}`;
    return {
      rcode: 'NOERROR',
      answers: question.type === 'PTR' ? [{ type: 'PTR', name: question.name, ttl, data }] : [],
    };
  }

  async #service(question: Question, asked: Extract<Asked, { kind: 'service' }>, aliases: number): Promise<Resolved> {
    const { find, reach, domain } = this.#options;
    const service = await find(asked.namespace, asked.name);
    if (service === undefined) return { rcode: 'SERVFAIL', answers: [] };
    if (service === 'absent') return this.#nothing('NXDOMAIN');
    if (service.kind === 'externalName') return this.#alias(question, asked, service, aliases);
    const hasOwnAddress = service.kind === 'clusterIP' && asked.endpoint === undefined;
    const addresses = hasOwnAddress && service.ports.length > 0 ? await reach(service) : [];
    if (hasOwnAddress && service.ports.length > 0 && addresses.length === 0) return { rcode: 'SERVFAIL', answers: [] };
    const found = findRecords(asked, service, addresses, domain);
    if (found.length === 0) return this.#nothing('NXDOMAIN');
    return this.#answer(question, found);
  }

  #answer({ name, type }: Question, found: readonly Found[]): Resolved {
    switch (type) {
      case 'A': {
        const addresses = new Set(found.map(({ address }) => address));
        const answers = Array.from(addresses, (data): Answer => ({ type: 'A', name, ttl, data }));
        return { rcode: 'NOERROR', answers: shuffled(answers) };
      }
      case 'SRV': {
        const targets = new Map(found.map((each) => [`${each.target} ${each.port}`, each]));
        const hosts = new Map(found.map((each) => [`${each.target} ${each.address}`, each]));
        const weight = Math.max(1, Math.floor(100 / found.length));
        const answers = Array.from(targets.values()).flatMap(({ port, target }): Answer[] =>
          port === undefined ? [] : [{ type: 'SRV', name, ttl, data: { priority: 0, weight, port, target } }],
        );
        if (answers.length === 0) return this.#nothing('NOERROR');
        const additionals = Array.from(
          hosts.values(),
          ({ target, address }): Answer => ({ type: 'A', name: target, ttl, data: address }),
        );
        return { rcode: 'NOERROR', answers, additionals };
      }
      default:
        return this.#nothing('NOERROR');
    }
  }

  /** What the other name stands for is part of the answer. */
  async #alias(
    question: Question,
    { endpoint, port }: Extract<Asked, { kind: 'service' }>,
    { externalName = '' }: LinkService,
    aliases: number,
  ): Promise<Resolved> {
    const { name, type } = question;
    const target = externalName.replace(/\.$/, '');
    const isName = /[a-z]/i.test(target) && !target.includes(':');
    if (endpoint !== undefined || port !== undefined || !isName) return this.#nothing('NXDOMAIN');
    const alias: Answer = { type: 'CNAME', name, ttl, data: target };
    if (type === 'CNAME') return { rcode: 'NOERROR', answers: [alias] };
    if (type !== 'A' && type !== 'AAAA') return this.#nothing('NOERROR');
    if (aliases >= maxAliases) return this.#nothing('NOERROR');
    const next: Question = { name: target, type, class: 'IN' };
    const asked = readName(target, this.#options.domain);
    if (asked.kind === 'service') {
      const { rcode, answers } = await this.#service(next, asked, aliases + 1);
      if (rcode === 'SERVFAIL') return { rcode, answers: [] };
      return answers.length > 0 ? { rcode: 'NOERROR', answers: [alias, ...answers] } : this.#nothing('NOERROR');
    }
    const packet = await this.#options.askElsewhere(next);
    if (packet === undefined) return { rcode: 'SERVFAIL', answers: [] };
    return { rcode: 'NOERROR', answers: [alias, ...(packet.answers ?? [])] };
  }

  /** The name is not there, or has no records of the type: for how long that may be believed. */
  #nothing(rcode: Rcode): Resolved {
    const { domain } = this.#options;
    const soa: Answer = {
      type: 'SOA',
      name: domain,
      ttl,
      data: {
        mname: `ns.dns.${domain}`,
        rname: `hostmaster.${domain}`,
        serial: 1,
        refresh: 7200,
        retry: 1800,
        expire: 86_400,
        minimum: ttl,
      },
    };
    return { rcode, answers: [], authorities: [soa] };
  }
}

/** Clients take the first. */
function shuffled<T>(list: readonly T[]): readonly T[] {
  const at = Math.floor(Math.random() * list.length);
  return [...list.slice(at), ...list.slice(0, at)];
}
