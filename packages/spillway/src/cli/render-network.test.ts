import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { type Cell, checks, type NetworkReport, sides } from '../diagnosis/network/view.ts';
import { renderNetwork } from './render-network.ts';

function report(...failed: readonly Cell[]): NetworkReport {
  const cells = checks.flatMap((check) =>
    sides.map(
      (from): Cell =>
        failed.find((each) => each.check === check && each.from === from) ?? { check, from, state: 'ok', text: '2 ms' },
    ),
  );
  return { node: 'vk', interconnect: 'route', cells, findings: [] };
}

const rendered = (of: NetworkReport): string => stripVTControlCharacters(renderNetwork(of));

it('both sides are a matrix', () => {
  expect(rendered(report())).toBe(`Node vk, interconnect: route

CHECK                       FROM THE CLUSTER   FROM THE BURST POD
pod address, TCP            ok  2 ms           ok  2 ms
pod address, UDP            ok  2 ms           ok  2 ms
name of a Service           ok  2 ms           ok  2 ms
Service, TCP                ok  2 ms           ok  2 ms
Service, UDP                ok  2 ms           ok  2 ms
Service, large transfer     ok  2 ms           ok  2 ms
Service, endpoints change   ok  2 ms           ok  2 ms
API server                  ok  2 ms           ok  2 ms
`);
});

it('what fails for one reason is told once, with the remedy', () => {
  const why = { code: 'network-services-unreachable', message: 'not reached', remedy: 'Add the route.' } as const;
  const unreachable = { from: 'burst', state: 'failed', text: 'ETIMEDOUT', ...why } as const;
  const text = rendered(
    report(
      { check: 'serviceTcp', ...unreachable },
      { check: 'serviceUdp', ...unreachable },
      { check: 'endpoints', from: 'burst', state: 'skipped', text: '-' },
    ),
  );
  expect(text).toContain('Service, TCP                ok  2 ms           failed  ETIMEDOUT\n');
  expect(text).toContain('Service, endpoints change   ok  2 ms           -\n');
  expect(text.match(/Add the route/g)).toHaveLength(1);
  expect(text).toContain(
    'error network-services-unreachable: from the burst pod: Service, TCP; Service, UDP\n  what:   not reached\n  remedy: Add the route.\n',
  );
});
