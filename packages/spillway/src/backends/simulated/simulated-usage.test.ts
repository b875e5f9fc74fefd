import type { Container } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import type { InstanceUsage } from '../backend.ts';
import { makeWorkload } from '../testing/workloads.ts';
import { resolveSimulatedOptions } from './options.ts';
import type { UsageScenario } from './scenario.ts';
import { simulatedUsage } from './simulated-usage.ts';

const startedAt = '2026-01-01T00:00:05Z';

/** What a pod that started five seconds after midnight was measured with, so many seconds after midnight. */
function usageAt(
  seconds: number,
  usage: UsageScenario = {},
  resources: Container['resources'] = {},
): InstanceUsage | undefined {
  const workload = makeWorkload({
    image: 'busybox',
    name: 'web-1',
    spec: { containers: [{ name: 'app', resources }] },
  });
  const status = {
    name: 'app',
    image: '',
    imageID: '',
    ready: true,
    restartCount: 0,
    state: { running: { startedAt } },
  };
  const instance = {
    ref: workload.ref,
    state: 'running' as const,
    podIPs: [],
    startTime: startedAt,
    containerStatuses: [status],
    initContainerStatuses: [],
  };
  const options = resolveSimulatedOptions({ scenario: { usage } });
  return simulatedUsage({ workload, instance }, options, Date.parse('2026-01-01T00:00:00Z') + seconds * 1000);
}

describe('the load of a simulated pod', () => {
  it('is measured at intervals, and told again as it was until the next', () => {
    expect(usageAt(14)).toBeUndefined();
    const first = usageAt(15);
    expect(first).toMatchObject({ atMs: Date.parse('2026-01-01T00:00:15Z'), windowMs: 15_000 });
    expect(usageAt(29)).toEqual({ ...first, uid: expect.any(String) });
    expect(usageAt(30)?.atMs).toBe(Date.parse('2026-01-01T00:00:30Z'));
  });

  it('is half of what the container requests, or a little', () => {
    const requests = { cpu: '1', memory: '1Gi' };
    expect(usageAt(60, {}, { requests })?.containers).toEqual([{ name: 'app', cores: 0.5, memoryBytes: 2 ** 29 }]);
    expect(usageAt(60)?.containers).toEqual([{ name: 'app', cores: 0.01, memoryBytes: 16 * 2 ** 20 }]);
  });

  it('is what the first entry of the scenario says that the container is like, and grows up to the limit', () => {
    const containers = [
      { pods: 'job-*', cpu: '9' },
      { pods: 'web-*', containers: 'ap*', cpu: '100m', cpuPerMinute: '60m', memory: '10M', memoryPerMinute: '6M' },
      { cpu: '8' },
    ];
    const usage = { everySeconds: 5, containers };
    expect(usageAt(65, usage)).toMatchObject({
      windowMs: 5000,
      containers: [{ cores: 0.1575, memoryBytes: 16_000_000 }],
    });
    const limits = { cpu: '150m', memory: '11M' };
    expect(usageAt(65, usage, { limits })?.containers).toEqual([{ name: 'app', cores: 0.15, memoryBytes: 11_000_000 }]);
  });
});
