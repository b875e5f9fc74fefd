import { readFile } from 'node:fs/promises';
import { describe, expect, it, test } from 'vitest';
import { Metrics } from './metrics.ts';
import { dashboardQueries, givenSeries, metricsIn, rules } from './testing/monitoring-files.ts';

/** Of whom, for what is not Spillway's own. */
const others: Readonly<Record<string, readonly string[]>> = {
  'kube-state-metrics': [
    'kube_node_info',
    'kube_node_status_allocatable',
    'kube_node_status_condition',
    'kube_pod_container_resource_requests',
    'kube_pod_info',
    'kube_pod_status_phase',
  ],
  kubelet: ['container_cpu_usage_seconds_total', 'container_memory_working_set_bytes'],
};

async function exported(): Promise<Set<string>> {
  const metrics = await new Metrics().registry.getMetricsAsJSON();
  const own = metrics.flatMap(({ name, type }) =>
    String(type) === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  const recorded = rules().flatMap(({ record }) => record ?? []);
  return new Set([...own, ...recorded, ...Object.values(others).flat()]);
}

const alerts = rules().flatMap(({ alert, expr }) => (alert === undefined ? [] : [{ alert, expr }]));

/** Where what alerts are for happens to a Spillway that runs. */
const situations = ['./alerts.integration.test.ts', '../serve/outage-of-minutes.integration.test.ts'];

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8');

describe('rules and dashboards', () => {
  it('ask only for metrics that there are', async () => {
    const known = await exported();
    const asked = [...rules(), ...dashboardQueries()].flatMap(({ expr }) => [...metricsIn(expr)]);
    expect(asked.length).toBeGreaterThan(50);
    expect([...new Set(asked)].filter((name) => !known.has(name))).toEqual([]);
  });

  it('ask for each metric of others that is listed here, and no rule is recorded for nobody', () => {
    const asked = new Set([...rules(), ...dashboardQueries()].flatMap(({ expr }) => [...metricsIn(expr)]));
    const wanted = [...Object.values(others).flat(), ...rules().flatMap(({ record }) => record ?? [])];
    expect(wanted.filter((name) => !asked.has(name))).toEqual([]);
  });

  it('have a name of their own', () => {
    const names = rules().map(({ alert, record }) => alert ?? record);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe.each(alerts)('$alert', ({ alert, expr }) => {
  it('fires in a test of its rule', () => {
    expect(givenSeries().flatMap(({ firing }) => firing)).toContain(alert);
  });

  it('is silent while all is well, although all that it asks for is there', () => {
    const { series, firing } = givenSeries().find(({ test: name }) => name === 'all is well') ?? {};
    const given = new Set(series?.map((each) => each.split('{')[0]));
    const asked = [...metricsIn(expr)].filter((name) => !name.startsWith('spillway:'));
    expect(asked.filter((name) => !given.has(name))).toEqual([]);
    expect(firing).toEqual([]);
  });

  it('fires when what it is for happens to a Spillway that runs', async () => {
    const tests = await Promise.all(situations.map(read));
    expect(tests.some((text) => new RegExp(`toEqual\\(\\[.*'${alert}'`).test(text))).toBe(true);
  });

  it('is explained', async () => {
    for (const page of ['monitoring.md', 'zh/monitoring.md']) {
      expect(await read(`../../../../docs/${page}`)).toContain(`\`${alert}\``);
    }
  });
});

test('the series in tests of rules have the labels that the product gives them', async () => {
  const { registry } = new Metrics();
  const own = await registry.getMetricsAsJSON();
  const wrong = givenSeries().flatMap(({ series }) =>
    series.filter((each) => {
      const [name = ''] = each.split('{');
      if (!name.startsWith('spillway_')) return false;
      const metric = own.find((known) => name === known.name || name === `${known.name}_bucket`);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what they were made with
      const { labelNames = [] } = (registry.getSingleMetric(metric?.name ?? '') as { labelNames?: string[] }) ?? {};
      const labels = Array.from(each.matchAll(/(\w+)="/g), ([, label = '']) => label);
      return metric === undefined || labels.some((label) => ![...labelNames, 'instance', 'le'].includes(label));
    }),
  );
  expect(wrong).toEqual([]);
});

test.each([
  ['sum by (node) (rate(a_total{b="c", d=~"e|f"}[5m])) > 0', ['a_total']],
  ['max by (x) (a) == 0 and on (x) b:c', ['a', 'b:c']],
  ['histogram_quantile(0.9, max by (le) (rate(a_bucket[1m]))) unless ignoring (z) group_left () d', ['a_bucket', 'd']],
  ['min_over_time(max by (pool) (a)[10m:1m]) > 0 or vector(1)', ['a']],
])('%s asks for %j', (expr, names) => {
  expect([...metricsIn(expr)]).toEqual(names);
});
