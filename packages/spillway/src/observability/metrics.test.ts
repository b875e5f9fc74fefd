import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.ts';

describe('the metrics', () => {
  it('are all explained in docs/observability.md', async () => {
    const page = await readFile(new URL('../../../../docs/observability.md', import.meta.url), 'utf8');
    const own = (await new Metrics().registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('spillway_'));
    const explained = Array.from(page.matchAll(/^\| `(spillway_\w+)` \|/gm), ([, name = '']) => name);
    expect(explained.toSorted()).toEqual(own.map(({ name }) => name).toSorted());
  });

  it('are rendered in the text format of Prometheus, each process with its own', async () => {
    const metrics = new Metrics();
    metrics.operations.inc({ pool: 'burst', operation: 'create', result: 'ok' });
    expect(metrics.contentType).toContain('text/plain');
    expect(await metrics.render()).toContain(
      'spillway_operations_total{pool="burst",operation="create",result="ok"} 1',
    );
    expect(await new Metrics().render()).not.toContain('operation="create"');
  });

  it('count API requests by lane, verb, resource and code', async () => {
    const metrics = new Metrics();
    const request = {
      method: 'PATCH',
      resource: 'pods/status',
      lane: 'status',
      status: 200,
      durationMs: 12,
      queuedMs: 0,
    };
    metrics.recordRequest(request);
    metrics.recordRequest(request);
    expect(await metrics.render()).toContain(
      'spillway_api_requests_total{lane="status",verb="PATCH",resource="pods/status",code="200"} 2',
    );
  });

  it.each(['process_resident_memory_bytes', 'nodejs_heap_size_used_bytes', 'nodejs_eventloop_lag_max_seconds'])(
    'tell %s of the process',
    async (name) => {
      expect(await new Metrics().render()).toMatch(new RegExp(`^${name} [\\d.e-]+$`, 'm'));
    },
  );

  it('count the CPU time of the process', async () => {
    expect(await new Metrics().render()).toMatch(/^process_cpu_seconds_total [\d.]+$/m);
  });
});
