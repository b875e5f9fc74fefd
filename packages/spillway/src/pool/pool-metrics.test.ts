import { expect, it } from 'vitest';
import { Metrics } from '../observability/metrics.ts';
import { podPhases, PoolMetrics } from './pool-metrics.ts';

it('counters whose first rise is an alarm are there before it', async () => {
  const metrics = new Metrics();
  expect(new PoolMetrics(metrics, 'a')).toBeDefined();
  const text = await metrics.render();
  expect(text).toContain('\nspillway_duplicate_instances_total{pool="a"} 0\n');
  expect(text).toContain('\nspillway_backend_listings_total{pool="a",result="complete"} 0\n');
  expect(text).toContain('\nspillway_ledger_writes_total{pool="a",result="failed"} 0\n');
});

it('a process that serves a pool no more says nothing of how it is, only what it has counted', async () => {
  const metrics = new Metrics();
  const [lost] = ['lost', 'kept'].map((pool) => {
    const told = new PoolMetrics(metrics, pool);
    told.current({
      actors: 3,
      queued: 1,
      statusesWaiting: 2,
      referencesWatched: 4,
      phases: new Map(podPhases.map((phase) => [phase, 1])),
    });
    told.instances(3);
    told.orphans(2, 1);
    told.lossesHeldBack(1);
    told.usageAsked('ok', 0.1, 3);
    told.leaseRenewed(new Date());
    told.backendReachable(true);
    told.blocked(true);
    told.listed('complete', 0.1);
    return told;
  });
  lost?.ended();
  const series = (await metrics.render()).split('\n').filter((line) => !line.startsWith('#'));
  expect(series).toContain('spillway_backend_reachable{pool="kept"} 1');
  const counted = /^spillway_\w+_(total|bucket|sum|count)\{/;
  expect(series.filter((line) => line.includes('pool="lost"') && !counted.test(line))).toEqual([]);
  expect(series).toContain('spillway_backend_listings_total{pool="lost",result="complete"} 1');
});
