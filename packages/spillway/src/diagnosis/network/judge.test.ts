import { describe, expect, it } from 'vitest';
import { isAllWell, judge } from './judge.ts';
import type { Answer, Question } from './probe.ts';
import { type Asked, type Cell, type Check, checks, type NetworkView, type Side, type SideView } from './view.ts';

const ok: Answer = { ok: true, ms: 1, text: 'fine' };
const no = (code: string): Answer => ({ ok: false, ms: 1, code, text: `connect ${code}` });

function asked(answer: Answer): Asked {
  const question: Question = { kind: 'tcp', host: 'test.default.svc', port: 1, expect: '', withinMs: 0 };
  return { question, answer };
}

function pod(side: Side, failed: Readonly<Partial<Record<Check, Answer>>>): SideView {
  const address = side === 'cluster' ? '10.244.0.7' : '192.168.0.9';
  return {
    pod: `Pod default/test-${side}`,
    node: side === 'cluster' ? 'node-1' : 'vk',
    address,
    nameServers: ['10.96.0.10'],
    apiServer: '10.96.0.1:443',
    asked: Object.fromEntries(checks.map((check) => [check, asked(failed[check] ?? ok)])),
  };
}

function view(
  failed: Readonly<Partial<Record<Side, Readonly<Partial<Record<Check, Answer>>>>>>,
  more: Partial<NetworkView> = {},
): NetworkView {
  return {
    nodeName: 'vk',
    interconnect: 'agent',
    notStarted: {},
    sides: { cluster: pod('cluster', failed.cluster ?? {}), burst: pod('burst', failed.burst ?? {}) },
    clusterIps: { cluster: '10.96.3.4', burst: '10.96.5.6' },
    serviceNetworks: ['10.96.0.0/16'],
    clusterNode: { podNetworks: ['10.244.0.0/24'], address: '172.16.0.2' },
    ...more,
  };
}

const cell = (of: NetworkView, check: Check, from: Side): Cell | undefined =>
  judge(of).cells.find((each) => each.check === check && each.from === from);
const failedOf = (of: NetworkView): string[] =>
  judge(of)
    .cells.filter(({ state }) => state === 'failed')
    .map(({ check, from, code }) => `${from} ${check}: ${code}`);

it('where everything is reached, nothing is wrong', () => {
  const report = judge(view({}));
  expect(isAllWell(report)).toBe(true);
  expect(report.cells).toHaveLength(16);
  expect(report.cells.every(({ state, message }) => state === 'ok' && message === undefined)).toBe(true);
});

it('what fails because of something else is told with the reason of that', () => {
  const [gone, unknown] = [no('ETIMEDOUT'), no('EAI_AGAIN')];
  const services = { serviceTcp: gone, serviceUdp: gone };
  expect(failedOf(view({ burst: { podTcp: gone, podUdp: gone, ...services } }))).toEqual(
    ['podTcp', 'podUdp', 'serviceTcp', 'serviceUdp'].map((check) => `burst ${check}: network-pods-unreachable`),
  );
  expect(failedOf(view({ burst: { name: unknown, ...services } }))).toEqual(
    ['name', 'serviceTcp', 'serviceUdp'].map((check) => `burst ${check}: network-names-unknown`),
  );
  expect(failedOf(view({ cluster: { podUdp: gone, serviceUdp: gone } }))).toEqual([
    'cluster podUdp: network-udp-blocked',
    'cluster serviceUdp: network-udp-blocked',
  ]);
  expect(failedOf(view({ cluster: { transfer: gone }, burst: { endpoints: gone } }))).toEqual([
    'cluster transfer: network-transfer-broken',
    'burst endpoints: network-endpoints-not-followed',
  ]);
});

describe('a route that is missing is named', () => {
  const route = { interconnect: 'route' } as const;

  const told = (code: string, more = {}): string | undefined =>
    cell(view({ burst: { serviceTcp: no(code) } }, { ...route, ...more }), 'serviceTcp', 'burst')?.remedy;

  it('to the pods of the cluster', () => {
    const found = cell(view({ burst: { podTcp: no('EHOSTUNREACH') } }, route), 'podTcp', 'burst');
    expect(found?.remedy).toContain('10.244.0.0/24 must be routed to node node-1 (172.16.0.2)');
  });

  it('to the burst pods', () => {
    const found = cell(view({ cluster: { podTcp: no('ETIMEDOUT') } }, route), 'podTcp', 'cluster');
    expect(found?.remedy).toContain('192.168.0.9 must be routed to the network of the burst pods');
  });

  it('to the Services, and what it may be if the route is there', () => {
    expect(told('EHOSTUNREACH')).toContain(
      '10.96.0.0/16 must be routed to a node of the cluster, such as 172.16.0.2: this route is missing',
    );
    expect(told('ETIMEDOUT')).toContain('If the route is there, that node must forward');
    expect(told('ECONNREFUSED')).toContain('Something else answers at 10.96.3.4: CCI uses 10.247.0.0/16');
    expect(told('ETIMEDOUT', { serviceNetworks: [] })).toContain(
      'the Service network of the cluster, which contains 10.96.3.4',
    );
  });

  it('also when the name server is what is behind it', () => {
    const found = cell(view({ burst: { name: no('EAI_AGAIN') } }, route), 'name', 'burst');
    expect(found?.remedy).toContain('10.96.0.0/16 must be routed to a node');
    const elsewhere = view({ burst: { name: no('EAI_AGAIN') } }, { ...route, serviceNetworks: ['10.97.0.0/16'] });
    expect(cell(elsewhere, 'name', 'burst')?.remedy).toContain('must reach the name servers 10.96.0.10');
  });

  it('to the API server', () => {
    const found = cell(view({ burst: { apiServer: no('EHOSTUNREACH') } }, route), 'apiServer', 'burst');
    expect(found?.remedy).toContain('10.96.0.0/16 must be routed');
  });
});

it('a pool without interconnect is told how to have one', () => {
  const off = view({ burst: { serviceTcp: no('ETIMEDOUT'), apiServer: no('ENOENT') } }, { interconnect: 'off' });
  for (const check of ['serviceTcp', 'apiServer'] as const) {
    expect(cell(off, check, 'burst')?.remedy).toContain('Set interconnect: agent or route');
  }
});

it('names that an agent does not know are told with what the agent says', () => {
  const lost = view(
    { burst: { name: no('EAI_AGAIN') } },
    { agentSays: 'without link server: ECONNREFUSED 10.0.0.9:10270' },
  );
  const found = cell(lost, 'name', 'burst');
  expect(found?.message).toContain('Its link agent says: without link server: ECONNREFUSED 10.0.0.9:10270');
  expect(found?.remedy).toContain('link.servers');
});

it('a pod that did not start, or cannot be asked, or is left behind, is told; what was not tried is not called wrong', () => {
  const waits = judge({
    ...view({}),
    sides: undefined,
    notStarted: { burst: 'SoldOut' },
    notRemoved: 'kubectl delete …',
  });
  expect(waits.cells.every(({ state }) => state === 'skipped')).toBe(true);
  expect(waits.findings.map(({ code }) => code)).toEqual(['network-pod-not-started', 'network-not-removed']);
  expect(isAllWell(waits)).toBe(false);
  const mute = { ...pod('burst', {}), asked: {}, notAsked: 'x509: unknown authority' };
  const unasked = judge({ ...view({}), sides: { cluster: pod('cluster', {}), burst: mute } });
  expect(unasked.findings).toMatchObject([{ code: 'network-pod-not-asked', message: expect.stringContaining('x509') }]);
  expect(isAllWell(unasked)).toBe(false);
});
