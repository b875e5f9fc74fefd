import type { Answer, DecodedPacket, Question } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import type { LinkService } from '../protocol/messages.ts';
import { type Resolved, Resolver } from './resolver.ts';

// What CoreDNS answers for the same Services (kubernetes plugin of 1.15), with loopback addresses in place of cluster addresses.

const web: LinkService = {
  namespace: 'shop',
  name: 'web',
  kind: 'clusterIP',
  ports: [
    { name: 'http', protocol: 'TCP', port: 80 },
    { name: 'dns', protocol: 'UDP', port: 53 },
  ],
  groups: [
    {
      ports: [
        { name: 'http', protocol: 'TCP', port: 8080 },
        { name: 'dns', protocol: 'UDP', port: 5353 },
      ],
      endpoints: [{ address: '10.244.0.7' }, { address: '10.244.0.8', draining: true }],
    },
  ],
};
const db: LinkService = {
  namespace: 'shop',
  name: 'db',
  kind: 'headless',
  ports: [],
  groups: [
    {
      ports: [{ name: 'sql', protocol: 'TCP', port: 5432 }],
      endpoints: [{ address: '10.244.0.10', hostname: 'db-0' }, { address: '10.244.0.11' }],
    },
  ],
};
const silent: LinkService = { namespace: 'shop', name: 'silent', kind: 'headless', ports: [], groups: [] };
const portless: LinkService = {
  namespace: 'shop',
  name: 'portless',
  kind: 'headless',
  ports: [],
  groups: [{ ports: [], endpoints: [{ address: '10.244.0.12', hostname: 'p-0' }] }],
};
const alias = (name: string, externalName: string): LinkService => ({
  namespace: 'shop',
  name,
  kind: 'externalName',
  externalName,
  ports: [],
  groups: [],
});
const services = [
  web,
  db,
  silent,
  portless,
  alias('out', 'example.com'),
  alias('in', 'web.shop.svc.cluster.local'),
  alias('loop', 'loop.shop.svc.cluster.local'),
  alias('literal', '10.1.2.3'),
];

const external: DecodedPacket = {
  flag_qr: true,
  flag_aa: false,
  flag_tc: false,
  flag_rd: true,
  flag_ra: true,
  flag_z: false,
  flag_ad: false,
  flag_cd: false,
  answers: [{ type: 'A', name: 'example.com', ttl: 30, data: '192.0.2.1' }],
};

const resolver = new Resolver({
  domain: 'cluster.local',
  find: async (namespace, name) =>
    namespace === 'unknown'
      ? undefined
      : (services.find((each) => each.name === name && each.namespace === namespace) ?? 'absent'),
  reach: async ({ name }) => (name === 'web' ? ['127.64.0.1'] : []),
  ownerOf: (address) => (address === '127.64.0.1' ? web : undefined),
  askElsewhere: async ({ name }) => (name === 'example.com' ? external : undefined),
});

const ask = (name: string, type: Question['type'] = 'A'): Promise<Resolved | undefined> =>
  resolver.resolve({ name, type, class: 'IN' });
const dataOf = (answers: readonly Answer[] = []): unknown[] =>
  answers.map((each) => ('data' in each ? each.data : undefined));
const inShop = (name: string): string => `${name}.shop.svc.cluster.local`;

describe('a Service with an address', () => {
  test('has one A record, and no AAAA', async () => {
    expect(dataOf((await ask(inShop('web')))?.answers)).toEqual(['127.64.0.1']);
    const six = await ask(inShop('web'), 'AAAA');
    expect(six).toMatchObject({ rcode: 'NOERROR', answers: [], authorities: [{ type: 'SOA', name: 'cluster.local' }] });
  });

  test('has an SRV record for each port with the port of the Service, and its own name as the target', async () => {
    const named = await ask(`_http._tcp.${inShop('web')}`, 'SRV');
    expect(dataOf(named?.answers)).toEqual([{ priority: 0, weight: 100, port: 80, target: inShop('web') }]);
    expect(named?.additionals).toEqual([{ type: 'A', name: inShop('web'), ttl: 5, data: '127.64.0.1' }]);
    const all = await ask(inShop('web'), 'SRV');
    expect(dataOf(all?.answers)).toEqual([
      { priority: 0, weight: 50, port: 80, target: inShop('web') },
      { priority: 0, weight: 50, port: 53, target: inShop('web') },
    ]);
  });

  test('has no name for a port that it does not have, nor for one of another protocol', async () => {
    for (const name of ['_https._tcp', '_http._udp']) {
      expect(await ask(`${name}.${inShop('web')}`, 'SRV')).toMatchObject({ rcode: 'NXDOMAIN', answers: [] });
    }
    expect(dataOf((await ask(`_http._tcp.${inShop('web')}`))?.answers)).toEqual(['127.64.0.1']);
  });

  test('has names for its endpoints that are ready', async () => {
    expect(dataOf((await ask(`10-244-0-7.${inShop('web')}`))?.answers)).toEqual(['10.244.0.7']);
    expect(await ask(`10-244-0-8.${inShop('web')}`)).toMatchObject({ rcode: 'NXDOMAIN' });
  });

  test('is found by its address', async () => {
    expect(dataOf((await ask('1.0.64.127.in-addr.arpa', 'PTR'))?.answers)).toEqual([inShop('web')]);
    expect(await ask('9.0.64.127.in-addr.arpa', 'PTR')).toMatchObject({ rcode: 'NXDOMAIN' });
  });
});

describe('a headless Service', () => {
  test('stands for its endpoints', async () => {
    expect(new Set(dataOf((await ask(inShop('db')))?.answers))).toEqual(new Set(['10.244.0.10', '10.244.0.11']));
    expect(dataOf((await ask(`db-0.${inShop('db')}`))?.answers)).toEqual(['10.244.0.10']);
    expect(await ask(`db-1.${inShop('db')}`)).toMatchObject({ rcode: 'NXDOMAIN' });
  });

  test('has an SRV record for each endpoint, with the name of the endpoint', async () => {
    const { answers, additionals } = (await ask(`_sql._tcp.${inShop('db')}`, 'SRV')) ?? {};
    expect(dataOf(answers)).toEqual([
      { priority: 0, weight: 50, port: 5432, target: `db-0.${inShop('db')}` },
      { priority: 0, weight: 50, port: 5432, target: `10-244-0-11.${inShop('db')}` },
    ]);
    expect(dataOf(additionals)).toEqual(['10.244.0.10', '10.244.0.11']);
  });

  test('without a ready endpoint is no name', async () => {
    expect(await ask(inShop('silent'))).toMatchObject({ rcode: 'NXDOMAIN' });
  });

  test('without ports has addresses, and no SRV records', async () => {
    expect(dataOf((await ask(`p-0.${inShop('portless')}`))?.answers)).toEqual(['10.244.0.12']);
    expect(await ask(inShop('portless'), 'SRV')).toMatchObject({ rcode: 'NOERROR', answers: [] });
  });
});

describe('a Service with an external name', () => {
  test('is an alias, and what the other name stands for comes along', async () => {
    expect((await ask(inShop('out')))?.answers).toEqual([
      { type: 'CNAME', name: inShop('out'), ttl: 5, data: 'example.com' },
      { type: 'A', name: 'example.com', ttl: 30, data: '192.0.2.1' },
    ]);
    expect(dataOf((await ask(inShop('in')))?.answers)).toEqual([inShop('web'), '127.64.0.1']);
    expect(dataOf((await ask(inShop('out'), 'CNAME'))?.answers)).toEqual(['example.com']);
  });

  test('that names itself or an address stands for nothing', async () => {
    expect(await ask(inShop('loop'))).toMatchObject({ rcode: 'NOERROR', answers: [] });
    expect(await ask(inShop('literal'))).toMatchObject({ rcode: 'NXDOMAIN' });
  });
});

test('names that do not exist are told so, with how long that may be believed', async () => {
  for (const name of [inShop('nothing'), `a.b.c.${inShop('web')}`, `example.com.${inShop('web').slice(4)}`]) {
    expect(await ask(name)).toMatchObject({ rcode: 'NXDOMAIN', authorities: [{ type: 'SOA', ttl: 5 }] });
  }
});

test('what is not known is a failure that is asked again, and not a name that does not exist', async () => {
  expect(await ask('web.unknown.svc.cluster.local')).toMatchObject({ rcode: 'SERVFAIL', answers: [] });
});

test('all other names are for others', async () => {
  for (const name of ['example.com', 'cluster.local', '7.0.244.10.in-addr.arpa', 'shop.svc.cluster.local']) {
    expect(await ask(name)).toBeUndefined();
  }
});

test('the name is answered as it was written', async () => {
  expect((await ask('WEB.shop.SVC.cluster.local'))?.answers[0]?.name).toBe('WEB.shop.SVC.cluster.local');
});
