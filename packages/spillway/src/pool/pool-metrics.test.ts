import { expect, it } from 'vitest';
import { Metrics } from '../observability/metrics.ts';
import { PoolMetrics } from './pool-metrics.ts';

it('counters whose first rise is an alarm are there before it', async () => {
  const metrics = new Metrics();
  expect(new PoolMetrics(metrics, 'a')).toBeDefined();
  const text = await metrics.render();
  expect(text).toContain('\nspillway_duplicate_instances_total{pool="a"} 0\n');
  expect(text).toContain('\nspillway_backend_listings_total{pool="a",result="complete"} 0\n');
});
