import { expect, it } from 'vitest';
import { monitorPortsOf } from './monitor-port.ts';

const one = 'kubernetes.io/elb.health-check-option';
const many = 'kubernetes.io/elb.health-check-options';
const portsOf = (annotations: Record<string, string>): readonly string[] =>
  monitorPortsOf({ metadata: { annotations } }).map(({ annotation, port }) => `${annotation} ${port}`);

it('the ports that a load balancer is told to probe, in both annotations, as text or number', () => {
  expect(portsOf({ [one]: '{"protocol":"TCP","delay":"5","monitor_port":"22"}' })).toEqual([`${one} 22`]);
  expect(
    portsOf({ [many]: '[{"monitor_port":8080,"target_service_port":"TCP:80"},{"delay":"5"},{"monitor_port":"81"}]' }),
  ).toEqual([`${many} 8080`, `${many} 81`]);
});

it.each(['{"protocol":"TCP"}', '[]', 'null', '7', '"monitor_port"', '{"monitor_port":null}', '[null]', '{', ''])(
  'no port in %s',
  (text) => {
    expect(portsOf({ [one]: text, [many]: text })).toEqual([]);
  },
);

it('no annotations, no ports', () => {
  expect(monitorPortsOf({})).toEqual([]);
});
